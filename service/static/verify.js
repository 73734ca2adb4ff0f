// A scanned code opens /v#...: what stands behind # never goes out with a link, so the script posts it
// to this page and shows the answer in place. The address stays, so that a reload asks again.
const code = () => location.hash.slice(1);

async function judge() {
  const working = document.getElementById("working");
  const page = document.getElementById("page");
  const form = document.getElementById("code-form");
  if (!code() || !form) return;
  working.hidden = false;
  page.hidden = true;
  const asked = new FormData(form);
  asked.set("code", location.href);
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(asked) });
    const drawn = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = drawn.title;
    document.getElementById("main").replaceChildren(...drawn.getElementById("main").childNodes);
    keepHash();
    document.getElementById("main").focus();
  } catch {
    working.hidden = true;
    page.hidden = false;
    document.getElementById("failed").hidden = false;
  }
}

// Changing the language comes back to this page: bring the code along.
function keepHash() {
  const next = document.querySelector("form.tools input[name=next]");
  next.value = location.pathname + location.hash;
}

// Another code scanned into the same page starts afresh.
addEventListener("hashchange", () => location.reload());
judge();
