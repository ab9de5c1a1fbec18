// While the title of a new answer is typed: is it there already?
const WAIT_MS = 300;
const LEAST = 4; // characters; two of them in Chinese say as much
const form = document.querySelector("[data-editor]");
const list = form?.querySelector("[data-similar-list]");

if (list && form.dataset.similar) {
  const title = form.elements.title;
  let timer = 0;
  let request = null;

  const ask = async () => {
    request?.abort();
    const text = title.value.trim();
    if (text.length < LEAST && !/[\u3400-\u9fff]{2}/.test(text)) return list.replaceChildren();
    const own = request = new AbortController();
    try {
      const response = await fetch(`/api/v1/suggest?q=${encodeURIComponent(text)}`, { signal: own.signal });
      if (response.ok) show((await response.json()).suggestions.filter(({ url }) => !url.includes("#")).slice(0, 4));
    } catch {
      // It is only a service: writing goes on without it.
    }
  };
  const show = (found) => {
    const lines = found.map(({ title: text, url }) => {
      const line = document.createElement("li");
      const link = document.createElement("a");
      line.className = "line";
      link.href = new URL(url).pathname;
      link.target = "_blank"; // what was typed stays where it is
      link.textContent = text;
      link.lang = /[\u3400-\u9fff]/.test(text) ? "zh" : "en";
      line.append(link);
      return line;
    });
    const hint = document.createElement("p");
    const lead = document.createElement("ul");
    hint.className = "hint";
    hint.textContent = form.dataset.similar;
    lead.className = "lines";
    lead.append(...lines);
    list.replaceChildren(...(lines.length ? [hint, lead] : []));
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  };
  title.addEventListener("input", (event) => event.isComposing || later());
  title.addEventListener("compositionstart", () => clearTimeout(timer));
  title.addEventListener("compositionend", later);
}
