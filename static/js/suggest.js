// Suggestions while a question is typed: a combobox with a list, after the ARIA pattern “list autocomplete with manual
// selection”. The plain form goes on working: Enter without a choice searches.
const WAIT_MS = 30;
class Suggest {
  constructor(input, number) {
    this.input = input;
    this.active = -1;
    this.options = [];
    this.list = document.createElement("ul");
    this.list.id = `suggestions-${number}`;
    this.list.className = "suggestions";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", input.dataset.listLabel);
    this.list.hidden = true;
    this.status = document.createElement("span");
    this.status.className = "visually-hidden";
    this.status.setAttribute("role", "status");
    input.form.append(this.list, this.status);
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"],
                                 ["aria-controls", this.list.id]]) input.setAttribute(name, value);
    input.addEventListener("input", (event) => event.isComposing || this.later());
    input.addEventListener("compositionstart", () => this.stop());
    input.addEventListener("compositionend", () => this.later());
    input.addEventListener("pointerdown", () => this.choose(-1));
    input.addEventListener("keydown", (event) => this.press(event));
    input.addEventListener("blur", () => this.close());
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
    this.list.addEventListener("click", (event) => this.go(event.target.closest("[role=option]")));
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), WAIT_MS);
  }

  stop() {
    clearTimeout(this.timer);
    this.request?.abort();
  }

  async ask() {
    const text = this.input.value.trimStart();
    this.stop();
    if (!text) return this.end();
    this.request = new AbortController();
    try {
      const address = `/api/v1/suggest?q=${encodeURIComponent(text)}`;
      const response = await fetch(address, { signal: this.request.signal });
      if (response.ok) this.show((await response.json()).suggestions);
      else this.end();
    } catch (error) {
      if (error.name !== "AbortError") this.end(); // the form still works
    }
  }

  show(suggestions) {
    if (document.activeElement !== this.input) return;
    this.options = suggestions.map((suggestion, number) => {
      const option = document.createElement("li");
      option.id = `${this.list.id}-${number}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.url = suggestion.url;
      option.textContent = suggestion.title;
      option.lang = /[\u3400-\u9fff]/.test(suggestion.title) ? "zh" : "en";
      return option;
    });
    this.list.replaceChildren(...this.options);
    this.choose(-1);
    this.open(this.options.length > 0);
    this.status.textContent = this.input.dataset.counted.replace("{count}", this.options.length);
  }

  open(isOpen) {
    this.list.hidden = !isOpen;
    this.input.setAttribute("aria-expanded", String(isOpen));
  }

  close() {
    this.stop();
    this.open(false);
    this.choose(-1);
  }

  end() {
    this.close();
    this.options = []; // ArrowDown must not bring back what belongs to another text
    this.list.replaceChildren();
    this.status.textContent = "";
  }

  choose(number) {
    this.options[this.active]?.setAttribute("aria-selected", "false");
    this.active = number;
    const option = this.options[number];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.input.setAttribute("aria-activedescendant", option.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  press(event) {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.options.length) {
      event.preventDefault();
      const places = this.options.length + 1; // one of them is the box itself
      this.open(true);
      this.choose(((this.active + 1 + step + places) % places) - 1);
    } else if (event.key === "Enter" && this.active >= 0) {
      event.preventDefault();
      this.go(this.options[this.active]);
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      this.close();
    } else if (!["Shift", "Control", "Alt", "Meta"].includes(event.key)) {
      this.choose(-1); // the caret moves: from now on Enter searches
    }
  }

  go(option) {
    if (!option) return;
    const { pathname, hash } = new URL(option.dataset.url); // the site's public name may not be the one in use
    this.close();
    location.assign(pathname + hash);
  }
}

document.querySelectorAll("[data-search]").forEach((input, number) => new Suggest(input, number));
