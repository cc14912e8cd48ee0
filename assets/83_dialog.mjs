// @ts-check
// A question with fields, as the browser's own dialog: what was typed stays there until it is saved or given up.
// Contract: ask({title, text, button, danger, fields}, save) -> what save(values) gives, or null where it was given up;
//           a save that throws shows its message in the dialog, which stays open.

/** @typedef {{name: string, label: string, kind: string, value: string, options?: string[][], accept?: string}} Field */
/** @typedef {{title: string, text?: string, button: string, danger?: boolean, fields: Field[]}} Question */

/** @param {string} tag @param {Record<string, string>} [attributes] @param {(Node | string)[]} children */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** @param {Field} field */
function input(field) {
  const id = `dialog-${field.name}`;
  if (field.kind === "choice") {
    const options = (field.options ?? []).map(([value, text]) => element("option", { value, ...(value === field.value ? { selected: "" } : {}) }, text));
    return element("select", { id, name: field.name }, ...options);
  }
  if (field.kind === "text") return element("textarea", { id, name: field.name, rows: "6" }, field.value);
  const type = { date: "date", number: "number", file: "file" }[field.kind] ?? "text";
  return element("input", { id, name: field.name, type, ...(type === "file" ? { accept: field.accept ?? "" } : { value: field.value }), ...(type === "number" ? { step: "any" } : {}) });
}

/** @param {Question} question */
function built(question) {
  const rows = question.fields.map((f) => element("label", { for: `dialog-${f.name}`, class: `dialog-row ${f.kind}` }, element("span", {}, f.label), input(f)));
  const problem = element("p", { class: "dialog-problem", role: "alert" });
  const cancel = element("button", { type: "button", class: "dialog-button" }, "Cancel");
  const save = element("button", { type: "submit", class: `dialog-button primary${question.danger ? " danger" : ""}` }, question.button);
  const text = question.text ? [element("p", {}, question.text)] : [];
  const form = element("form", { method: "dialog" }, element("h2", {}, question.title), ...text, ...rows, problem, element("div", { class: "dialog-buttons" }, cancel, save));
  return { dialog: /** @type {HTMLDialogElement} */ (element("dialog", { class: "dialog", "aria-label": question.title }, form)), form, problem, cancel, save };
}

/** @param {HTMLElement} form @returns {Record<string, any>} */
function values(form) {
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[name]"));
  return Object.fromEntries([...fields].map((f) => [f.name, f.type === "file" ? f.files?.[0] : f.value]));
}

/** @param {Question} question @param {(values: Record<string, any>) => Promise<any>} save @returns {Promise<any>} */
export function ask(question, save) {
  const { dialog, form, problem, cancel, save: button } = built(question);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((settle) => {
    /** @param {any} answer */
    const end = (answer) => {
      dialog.remove();
      settle(answer);
    };
    cancel.addEventListener("click", () => end(null));
    dialog.addEventListener("cancel", () => end(null));
    form.addEventListener("keydown", (e) => {
      if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) /** @type {HTMLFormElement} */ (form).requestSubmit();
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.setAttribute("disabled", "");
      problem.textContent = "";
      try {
        end((await save(values(form))) ?? true);
      } catch (err) {
        problem.textContent = err instanceof Error ? err.message : String(err);
        button.removeAttribute("disabled");
      }
    });
  });
}

window.boardParts = Object.assign({}, window.boardParts, { dialog: { ask, element } });
