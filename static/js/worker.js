// The badge: which worker answers now. /-/worker closes its connection, so each question may meet another worker.
const EVERY_MS = 2000;
const badge = document.querySelector("[data-worker]");
const line = badge?.querySelector("[data-worker-now]");
const dot = badge?.querySelector(".pulse");
let timer = 0;
let inView = false;

async function ask() {
  try {
    const options = { cache: "no-store", signal: AbortSignal.timeout(EVERY_MS * 2) };
    const [answer, table] = await Promise.all([
      fetch("/-/worker", options).then((response) => response.json()),
      fetch("/-/workers.json", options).then((response) => response.json()),
    ]);
    const text = badge.dataset.template.replace("{count}", table.workers.length).replace("{pid}", answer.pid);
    if (line.textContent !== text) {
      line.textContent = text;
      dot.classList.remove("beat");
      requestAnimationFrame(() => dot.classList.add("beat"));
    }
    line.hidden = false;
  } catch {
    line.hidden = true; // the site does not answer at the moment: say nothing rather than something old
  }
  schedule(EVERY_MS);
}

function schedule(delay) {
  clearTimeout(timer);
  if (inView && !document.hidden) timer = setTimeout(ask, delay);
}

if (badge) {
  new IntersectionObserver((entries) => {
    inView = entries.at(-1).isIntersecting;
    schedule(0);
  }).observe(badge);
  document.addEventListener("visibilitychange", () => schedule(0));
}
