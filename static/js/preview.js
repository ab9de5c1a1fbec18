// The answer as it will look, beside the text, made by the site's own renderer; both scroll together.
const WAIT_MS = 400;
const form = document.querySelector("[data-editor]");
const pane = form?.querySelector("[data-preview-pane]");

if (pane) {
  const html = pane.querySelector("[data-preview-html]");
  const trouble = form.querySelector("[data-trouble]");
  const box = form.elements.body;
  const lang = form.elements.lang;
  let timer = 0;
  let request = null;
  let isComposing = false;

  const ask = async () => {
    request?.abort();
    const own = request = new AbortController();
    try {
      const body = new URLSearchParams({ body: box.value, lang: lang.value });
      const response = await fetch(form.dataset.preview, { method: "POST", body, signal: own.signal });
      const text = await response.text();
      if (own !== request) return; // a newer text is on its way
      if (!response.ok) throw new Error(String(response.status));
      html.innerHTML = text; // cleaned by the site as every answer is
      html.lang = response.headers.get("Content-Language");
      if (trouble.textContent === form.dataset.previewFailed) trouble.textContent = "";
      follow(box, pane);
    } catch (error) {
      if (error.name !== "AbortError" && !trouble.textContent) trouble.textContent = form.dataset.previewFailed;
    }
  };
  const later = () => {
    clearTimeout(timer);
    if (!isComposing) timer = setTimeout(ask, WAIT_MS);
  };

  // The place of one, as a share of its length, is the place of the other.
  let led = null; // scrolled by us: its own scroll event leads nobody
  const follow = (leader, other) => {
    const share = leader.scrollTop / Math.max(1, leader.scrollHeight - leader.clientHeight);
    const top = Math.round(share * (other.scrollHeight - other.clientHeight));
    if (Math.abs(top - other.scrollTop) < 2) return;
    led = other;
    other.scrollTop = top;
  };
  const scrolled = (leader, other) => {
    if (led === leader) led = null;
    else follow(leader, other);
  };
  box.addEventListener("scroll", () => scrolled(box, pane), { passive: true });
  pane.addEventListener("scroll", () => scrolled(pane, box), { passive: true });

  box.addEventListener("compositionstart", () => { isComposing = true; clearTimeout(timer); });
  box.addEventListener("compositionend", () => { isComposing = false; later(); });
  box.addEventListener("input", later);
  lang.addEventListener("change", later);
  if (box.value.trim()) ask();
}
