// “/” and Ctrl+K (⌘K) lead to the search box.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  const slash = event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
  const command = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
  const box = document.querySelector("[data-search]");
  if (!box || event.isComposing || !(slash || command)) return;
  event.preventDefault();
  box.focus();
  box.select();
});
