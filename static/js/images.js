// Images that are pasted, dropped or chosen are sent at once; their place in the text is kept meanwhile.
import { put } from "./editor.js";

const form = document.querySelector("[data-editor]");
const box = form?.elements.body;
const input = document.querySelector("[data-image-file]");
const trouble = form?.querySelector("[data-trouble]");
let number = 0;

function replace(mark, text) {
  const at = box.value.indexOf(mark);
  if (at >= 0) put(at, at + mark.length, text);
}

async function send(file) {
  const mark = `![${file.name || "image"} …](#${++number})`;
  put(box.selectionStart, box.selectionEnd, `${mark}\n`);
  const data = new FormData();
  data.append("image", file);
  try {
    const response = await fetch("/images/new", { method: "POST", body: data, headers: { Accept: "application/json" } });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail);
    replace(mark, `![${(file.name || "").replace(/\.\w+$/, "").replace(/[[\]]/g, "")}](${answer.url})`);
    trouble.textContent = "";
  } catch (error) {
    replace(`${mark}\n`, "");
    trouble.textContent = error instanceof TypeError ? form.dataset.failed : error.message;
  }
}

const imagesOf = (transfer) => [...(transfer?.files ?? [])].filter((file) => file.type.startsWith("image/"));

if (input) {
  const take = (event, images) => {
    if (!images.length) return;
    event.preventDefault();
    images.forEach(send);
  };
  box.addEventListener("paste", (event) => {
    take(event, event.clipboardData.getData("text/plain") ? [] : imagesOf(event.clipboardData));
  });
  box.addEventListener("dragover", (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());
  box.addEventListener("drop", (event) => take(event, imagesOf(event.dataTransfer)));
  input.addEventListener("change", () => {
    [...input.files].forEach(send);
    input.value = "";
  });
}
