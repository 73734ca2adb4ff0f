// Go on once, as soon as every frame has loaded, or after five seconds when one hangs.
(function () {
  var gone = false;
  function go() {
    if (!gone) {
      gone = true;
      window.location.replace(document.getElementById("onward").href);
    }
  }
  window.addEventListener("load", go);
  window.setTimeout(go, 5000);
})();
