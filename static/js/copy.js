// Copies a code block.
const words = document.querySelector("[data-copy]")?.dataset;

if (words && navigator.clipboard) {
  for (const block of document.querySelectorAll(".prose .highlight")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.ariaLive = "polite";
    button.lang = document.documentElement.lang;
    button.textContent = words.copy;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.querySelector("pre").innerText.trimEnd() + "\n");
      button.textContent = words.copied;
      setTimeout(() => { button.textContent = words.copy; }, 2000);
    });
    block.append(button);
  }
}
