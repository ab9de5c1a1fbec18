// The toolbar of the editor and its shortcuts. Everything is typed into the box as a person would, so that undo works.
const form = document.querySelector("[data-editor]");
const box = form?.elements.body;
const toolbar = form?.querySelector("[data-toolbar]");
const SHORTCUTS = { b: "bold", i: "italic", e: "code", l: "link" };

const around = { bold: ["**", "**"], italic: ["*", "*"], code: ["`", "`"] };
const before = { heading: () => "## ", quote: () => "> ", list: () => "- ", numbers: (place) => `${place + 1}. ` };
const known = { heading: /^#{1,6} /, quote: /^> ?/, list: /^[-*+] /, numbers: /^\d+[.)] / };
const blocks = { block: ["```\n", "\n```"], table: ["|   |   |\n| --- | --- |\n|   |   |", ""] };

// Replaces a stretch of the text and selects a part of what was put there.
export function put(start, end, text, from = text.length, to = from) {
  box.focus();
  box.setSelectionRange(start, end);
  const isTyped = text ? document.execCommand("insertText", false, text) : start === end || document.execCommand("delete");
  if (!isTyped) {
    box.setRangeText(text, start, end);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }
  box.setSelectionRange(start + from, start + to);
}

function surround(open, close) {
  const { value, selectionStart: start, selectionEnd: end } = box;
  const chosen = value.slice(start, end);
  const isInside = value.slice(start - open.length, start) === open && value.slice(end, end + close.length) === close
    && value[start - open.length - 1] !== open[0];
  if (isInside) put(start - open.length, end + close.length, chosen, 0, chosen.length);
  else put(start, end, open + chosen + close, open.length, open.length + chosen.length);
}

function link() {
  const { value, selectionStart: start, selectionEnd: end } = box;
  const chosen = value.slice(start, end);
  if (/^https?:\/\/\S+$/.test(chosen)) put(start, end, `[](${chosen})`, 1);
  else if (chosen) put(start, end, `[${chosen}]()`, chosen.length + 3);
  else put(start, end, "[]()", 1);
}

function prefix(mark) {
  const { value, selectionStart, selectionEnd } = box;
  const start = value.lastIndexOf("\n", selectionStart - 1) + 1;
  const end = (value.indexOf("\n", selectionEnd) + value.length + 1) % (value.length + 1);
  const lines = value.slice(start, end).split("\n");
  const isOn = lines.every((line) => known[mark].test(line));
  const text = lines.map((line, place) => (isOn ? line.replace(known[mark], "") : before[mark](place) + line)).join("\n");
  put(start, end, text, lines.length > 1 ? 0 : text.length, text.length);
}

function insertBlock([open, close]) {
  const { value, selectionStart: start, selectionEnd: end } = box;
  const chosen = close ? value.slice(start, end) : "";
  const gap = !start || value.slice(0, start).endsWith("\n\n") ? "" : value[start - 1] === "\n" ? "\n" : "\n\n";
  const rest = value[end] === "\n" ? "\n" : "\n\n";
  const text = gap + open + chosen + close + rest;
  const at = gap.length + (close ? open.length : 2);
  put(start, close ? end : start, text, at, at + chosen.length);
}

function apply(mark) {
  if (mark in around) surround(...around[mark]);
  else if (mark in before) prefix(mark);
  else if (mark in blocks) insertBlock(blocks[mark]);
  else link();
}

if (form && toolbar) {
  form.dataset.ready = "";
  const buttons = [...toolbar.children];
  const choose = (button) => buttons.forEach((each) => { each.tabIndex = each === button ? 0 : -1; });
  toolbar.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps its selection
  toolbar.addEventListener("click", (event) => {
    const button = event.target.closest("[data-mark]");
    if (!button) return;
    choose(button);
    if (button.dataset.mark === "image") document.querySelector("[data-image-file]").click();
    else apply(button.dataset.mark);
  });
  toolbar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    const place = buttons.indexOf(event.target);
    if (!step || place < 0) return;
    event.preventDefault();
    const wrapped = Number.isFinite(step) ? (place + step + buttons.length) % buttons.length : step > 0 ? buttons.length - 1 : 0;
    choose(buttons[wrapped]);
    buttons[wrapped].focus();
  });
  box.addEventListener("keydown", (event) => {
    const mark = SHORTCUTS[event.key.toLowerCase()];
    if (!mark || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.isComposing) return;
    event.preventDefault();
    apply(mark);
  });
  form.addEventListener("keydown", (event) => { // Enter in a one-line field would send the form
    if (event.key === "Enter" && event.target.matches("input:not([type=radio])")) event.preventDefault();
  });
}
