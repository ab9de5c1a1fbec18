// A pasted address fills the empty fields of its row with what the page says about itself.
const rows = document.querySelector("[data-cards]");

rows?.addEventListener("change", async (event) => {
  if (event.target.name !== "card_url" || !/^https?:\/\/\S+$/.test(event.target.value)) return;
  const row = event.target.closest("[data-card]");
  const part = (name) => row.querySelector(`[name=card_${name}]`);
  if (part("title").value) return;
  const state = row.querySelector("[data-card-state]");
  state.textContent = rows.dataset.fetching;
  try {
    const body = new URLSearchParams({ url: event.target.value });
    const response = await fetch("/contribute/link", { method: "POST", body, headers: { Accept: "application/json" } });
    const found = await response.json();
    state.textContent = response.ok ? "" : found.detail;
    for (const name of response.ok ? ["title", "description", "site"] : []) part(name).value ||= found[name];
    row.dispatchEvent(new Event("input", { bubbles: true }));
    part("title").dispatchEvent(new Event("input", { bubbles: true }));
  } catch {
    state.textContent = ""; // the fields can be filled by hand
  }
});
