// Drafts save themselves. Nobody leaves with words that are saved nowhere without being asked.
const WAIT_MS = 2000;
const AGAIN_MS = 10_000;
const KEEPALIVE_BYTES = 60_000; // more than that browsers refuse to send while a page closes
const form = document.querySelector("[data-editor]");

if (form) {
  const state = form.querySelector("[data-state]");
  const trouble = form.querySelector("[data-trouble]");
  let timer = 0;
  let changes = 0; // how many there were, and how many of them are kept
  let kept = 0;
  let saving = null;
  let isSent = false;
  let isSending = false;
  let isGone = false;

  // Returns whether the site could be reached; what it did not take stays unsaved.
  const save = async (isLeaving = false) => {
    clearTimeout(timer);
    const number = changes;
    const body = new URLSearchParams(new FormData(form));
    const keepalive = isLeaving && body.toString().length < KEEPALIVE_BYTES;
    try {
      const response = await fetch(form.dataset.draft, { method: "POST", body, keepalive, headers: { Accept: "application/json" } });
      if (response.ok) kept = Math.max(kept, number);
      const said = [400, 429].includes(response.status) && (await response.json()).detail;
      tell(response.ok ? "" : said || form.dataset[response.status < 500 ? "refused" : "failed"]);
      return true;
    } catch {
      tell(form.dataset.failed);
      return false;
    }
  };
  const tell = (text) => {
    state.textContent = text ? "" : form.dataset[kept === changes ? "saved" : "unsaved"];
    if (trouble.textContent !== text) trouble.textContent = text;
    if (kept !== changes) later(text ? AGAIN_MS : WAIT_MS);
  };
  const saveInTurn = () => (saving ??= save().finally(() => { saving = null; }));
  const later = (delay = WAIT_MS) => {
    clearTimeout(timer);
    if (!isSent) timer = setTimeout(saveInTurn, delay);
  };
  const changed = () => {
    changes += 1;
    isSent = isGone = false;
    if (!trouble.textContent) state.textContent = form.dataset.unsaved;
    later();
  };
  const gone = () => {
    isSent = isGone = true;
    setTimeout(() => { isSent = isGone = false; }, 3000); // if we are still here, the line broke or it was stopped
  };
  const stop = () => { isSent = true; clearTimeout(timer); };
  const leave = () => {
    if (kept !== changes && !isSent) save(true);
  };

  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  addEventListener("online", () => kept === changes || saveInTurn());
  document.addEventListener("visibilitychange", () => document.hidden && leave());
  addEventListener("pagehide", leave);
  document.querySelector("[data-throw-away]")?.addEventListener("submit", stop);
  addEventListener("pageshow", () => { isSent = isGone = false; });
  addEventListener("beforeunload", (event) => {
    if (kept !== changes && !isSent) event.preventDefault();
  });

  // First the draft, then the form: a line that breaks in between takes nothing with it.
  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    const isDraft = button?.value === "draft";
    if (isSent && !isGone) return gone(); // sent by ourselves, below
    if (!isSending && !isGone && !isDraft && kept === changes && !saving) return gone();
    event.preventDefault();
    if (isSending || isGone) return; // the button was pressed twice
    isSending = true;
    await saving;
    const isReached = isDraft || kept !== changes ? await save() : true;
    isSending = false;
    if (isDraft || !isReached) return;
    stop();
    form.requestSubmit(button);
  });
}
