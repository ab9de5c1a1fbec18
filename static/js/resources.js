// Rows of resources: added, removed and put in another order; folded, each is known by its title.
const rows = document.querySelector("[data-cards]");

if (rows) {
  const all = () => [...rows.querySelectorAll("[data-card]")];
  const spare = all().filter((row) => row.classList.contains("is-empty"));
  const pattern = spare[0];
  const tools = rows.querySelector("[data-card-tools]").content;
  const add = rows.querySelector("[data-card-add]").content.firstElementChild.cloneNode(true);
  const changed = () => rows.dispatchEvent(new Event("change", { bubbles: true }));

  const number = () => {
    const known = all();
    known.forEach((row, place) => {
      row.setAttribute("aria-label", rows.dataset.label.replace("{number}", place + 1));
      row.querySelector("[data-move=up]").disabled = place === 0;
      row.querySelector("[data-move=down]").disabled = place === known.length - 1;
    });
  };
  const equip = (row) => row.append(tools.cloneNode(true));
  const move = (row, way, button) => {
    if (way === "out") {
      const next = row.nextElementSibling?.matches("[data-card]") ? row.nextElementSibling : row.previousElementSibling;
      row.remove();
      (next?.querySelector("[data-move=out]") ?? add).focus();
    } else if (way === "up") row.previousElementSibling.before(row);
    else row.nextElementSibling.after(row);
    number();
    if (row.isConnected) (button.disabled ? row.querySelector("[data-move]:enabled") : button)?.focus();
    changed();
  };
  const name = (row) => {
    const [title, url] = ["title", "url"].map((part) => row.querySelector(`[name=card_${part}]`).value.trim());
    row.querySelector("[data-card-name]").textContent = title || url || add.textContent;
    row.querySelector("[data-card-host]").textContent = title ? url : "";
  };

  if (pattern) {
    spare.forEach((row) => row.remove());
    all().forEach(equip);
    rows.append(add);
    number();
    rows.addEventListener("click", (event) => {
      const button = event.target.closest("[data-move]");
      if (button) move(button.closest("[data-card]"), button.dataset.move, button);
    });
    rows.addEventListener("input", (event) => name(event.target.closest("[data-card]")));
    add.addEventListener("click", () => {
      const row = pattern.cloneNode(true);
      row.classList.remove("is-empty");
      row.querySelector("details").open = true;
      equip(row);
      add.before(row);
      number();
      row.querySelector("input").focus();
    });
  }
}
