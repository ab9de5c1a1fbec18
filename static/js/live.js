// Parts of pages that renew themselves with the server's own HTML while somebody sees them, and experiments on the page.
// What is asked closes its connection, so that the next question may meet another worker.
const EVERY_MS = 2000;

const load = async (address, options) => {
  const response = await fetch(address, { cache: "no-store", ...options });
  if (!response.ok) throw new Error((await response.json()).detail);
  return response.text();
};

for (const part of document.querySelectorAll("[data-live]")) {
  const box = part.parentElement;
  const ask = box.querySelector("[data-ask]");
  let timer = 0;
  let inView = false;
  const renew = async () => {
    clearTimeout(timer);
    // Whoever scrolls by keyboard or marks text in it must not lose the place.
    const isUsed = part.contains(document.activeElement) || part.contains(getSelection()?.anchorNode) && !getSelection().isCollapsed;
    if (isUsed) return schedule(EVERY_MS);
    try {
      part.innerHTML = await load(part.dataset.live, { signal: AbortSignal.timeout(2 * EVERY_MS) });
      part.classList.remove("is-old");
    } catch {
      part.classList.add("is-old");
    }
    schedule(EVERY_MS);
  };
  const schedule = (delay) => {
    clearTimeout(timer);
    if (inView && !document.hidden) timer = setTimeout(renew, delay);
  };
  // Who goes on by the Tab key must see what has the focus.
  box.addEventListener("focusout", ({ relatedTarget: to }) => to && box.popover && !box.contains(to) && box.hidePopover());
  new IntersectionObserver((entries) => {
    inView = entries.at(-1).isIntersecting;
    schedule(part.firstElementChild ? EVERY_MS : 0);
  }).observe(box);
  document.addEventListener("visibilitychange", () => schedule(0));
  if (ask) {
    ask.hidden = false;
    ask.addEventListener("click", async () => {
      box.querySelector("[data-asked]").textContent = ""; // so that the same answer is said again
      await renew();
      box.querySelector("[data-asked]").textContent = part.querySelector("[data-say]")?.dataset.say ?? "";
    });
  }
}

for (const form of document.querySelectorAll("[data-experiment]")) {
  const result = form.parentElement.querySelector("[data-experiment-result]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form, event.submitter));
    body.set("part", "1");
    result.textContent = form.dataset.waiting;
    try {
      result.innerHTML = await load(form.action, { method: "POST", body });
    } catch (error) {
      result.textContent = (error.name === "Error" && error.message) || form.dataset.failed;
    }
  });
}
