// Reviewing by single keys, where they are named. They can be switched off, for people whose tools type by themselves.
import { areKeysOn, isTyping, setKeys } from "./shortcuts.js";

const bar = document.querySelector("[data-review]");

if (bar) {
  const box = bar.querySelector("[data-keys]");
  const show = () => bar.toggleAttribute("data-keys-on", areKeysOn());
  box.checked = areKeysOn();
  box.addEventListener("change", () => {
    setKeys(box.checked);
    show();
  });
  show();
  document.addEventListener("keydown", (event) => {
    if (event.repeat || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target) || !areKeysOn()) return;
    const target = [...bar.querySelectorAll("[data-key]")].find((each) => each.dataset.key === event.key.toLowerCase());
    if (!target) return;
    event.preventDefault();
    if (target.matches("input")) target.focus();
    else target.click();
  });
}
