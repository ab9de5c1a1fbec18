// The contents list follows the reading position.
const links = [...document.querySelectorAll("[data-contents] a")];
const targets = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1)))).filter(Boolean);

function follow() {
  const line = innerHeight * 0.25;
  const current = targets.findLast((target) => target.getBoundingClientRect().top <= line) ?? null;
  for (const link of links) {
    const here = current !== null && decodeURIComponent(link.hash.slice(1)) === current.id;
    if (here) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

if (targets.length) {
  let waiting = false;
  addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      follow();
    });
  }, { passive: true });
  follow();
}
