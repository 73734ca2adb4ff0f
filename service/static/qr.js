// The screen waits for the phone: it asks every two seconds and shows what is new. Without scripts the
// page loads itself again and again instead.
const place = document.querySelector("[data-qr]");
const goOn = document.querySelector("form[data-go-on]");

async function look() {
  try {
    const answer = await fetch(place.dataset.qr);
    const { state } = await answer.json();
    if (state !== place.dataset.state) return location.reload();
  } catch {
    // The line is down: the next look may get through.
  }
  setTimeout(look, 2000);
}

if (goOn) goOn.submit();
else if (["waiting", "scanned"].includes(place.dataset.state)) setTimeout(look, 2000);
