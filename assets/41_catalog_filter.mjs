// @ts-check
// A grid filter with a box for each value of the column (see components/catalog_grid.py).
// Contract: the filter model is {values: [...]}, "" standing for what is not recorded; no model shows everything.

const BLANK = "not recorded";

class CatalogValuesFilter {
  /** @param {any} params */
  init(params) {
    this.params = params;
    /** @type {Set<string> | null} */
    this.chosen = null;
    this.gui = document.createElement("fieldset");
    this.gui.className = "catalog-values";
    this.draw();
  }

  getGui() {
    return this.gui;
  }

  /** @param {any} node */
  valueOf(node) {
    return String(this.params.getValue(node) ?? "");
  }

  values() {
    const found = new Set(this.chosen ?? []);
    this.params.api.forEachLeafNode((/** @type {any} */ node) => found.add(this.valueOf(node)));
    return [...found].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  }

  draw() {
    const title = document.createElement("legend");
    title.textContent = this.params.colDef.headerName;
    this.gui.replaceChildren(title, ...this.values().map((value) => this.box(value)));
  }

  /** @param {string} value */
  box(value) {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.value = value;
    box.checked = this.chosen === null || this.chosen.has(value);
    box.addEventListener("change", () => this.choose());
    label.append(box, ` ${value || BLANK}`);
    return label;
  }

  choose() {
    const boxes = /** @type {HTMLInputElement[]} */ ([...this.gui.querySelectorAll("input")]);
    const on = boxes.filter((b) => b.checked).map((b) => b.value);
    this.chosen = on.length === boxes.length ? null : new Set(on);
    this.params.filterChangedCallback();
  }

  afterGuiAttached() {
    this.draw();
    this.gui.querySelector("input")?.focus();
  }

  isFilterActive() {
    return this.chosen !== null;
  }

  /** @param {{node: any}} params */
  doesFilterPass({ node }) {
    return this.chosen === null || this.chosen.has(this.valueOf(node));
  }

  getModel() {
    return this.chosen && { values: [...this.chosen] };
  }

  /** @param {{values: string[]} | null} model */
  setModel(model) {
    this.chosen = model && new Set(model.values);
    this.draw();
  }

  getModelAsString() {
    return this.chosen ? [...this.chosen].map((v) => v || BLANK).join(", ") : "";
  }
}

window.dashAgGridFunctions = Object.assign({}, window.dashAgGridFunctions, { CatalogValuesFilter });
