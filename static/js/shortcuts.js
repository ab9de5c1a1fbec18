// “/” and Ctrl+K (⌘K) lead to the search box. Single keys can be switched off (on the page of a proposal).
const NAME = "single-keys";

export function isTyping(target) {
  return Boolean(target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]"));
}

export function areKeysOn() {
  try {
    return localStorage.getItem(NAME) !== "off";
  } catch {
    return true; // a browser that keeps nothing
  }
}

export function setKeys(isOn) {
  try {
    localStorage.setItem(NAME, isOn ? "on" : "off");
  } catch {
    // It is forgotten with the page then.
  }
}

document.addEventListener("keydown", (event) => {
  const slash = event.key === "/" && !isTyping(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey;
  const command = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
  const box = document.querySelector("[data-search]");
  if (!box || event.isComposing || !((slash && areKeysOn()) || command)) return;
  event.preventDefault();
  box.focus();
  box.select();
});
