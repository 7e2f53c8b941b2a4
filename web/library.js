// The grid of alarm codes: of a customer to be, of a site and of a dealer.
// Whatever is inherited looks so, and says from where.
import {button, element, table, wide} from "/dom.js";
import {attempt} from "/page.js";
import {fill, texts} from "/texts.js";

const own = (row, level, value) => row[`${value}_level`] === level;

// One subject. save(change) stores enabled and code, null inherits, and
// returns the row as it is then.
class LibraryRow {
	#row;
	#level;
	#save;
	#enabled;
	#code = element("input", {size: 4, maxlength: 3, autocomplete: "off", spellcheck: "false"});
	#origin = element("span");
	#refused = element("p", {class: "refused", role: "alert"});
	#reset;
	#last = Promise.resolve(); // changes are stored in the order in which they were made

	constructor(row, level, save) {
		this.#level = level;
		this.#save = save;
		this.#enabled = element("input", {type: "checkbox",
			"aria-label": fill(texts.library.enabledOf, row)});
		this.#code.setAttribute("aria-label", fill(texts.library.codeOf, row));
		this.#enabled.addEventListener("change", () => this.#change({enabled: this.#enabled.checked}));
		this.#code.addEventListener("change", () => this.#change({code: this.#code.value.trim() || null}));
		this.#code.addEventListener("blur", () => this.#last.then(() => this.#showCode()));
		this.#reset = button(texts.library.reset[level], () => this.#change({enabled: null, code: null}),
			{"aria-label": fill(texts.library.resetOf, {reset: texts.library.reset[level], title: row.title})});
		this.element = element("tr", {"data-subject": row.subject},
			element("th", {scope: "row"}, row.title), element("td", {}, this.#enabled),
			element("td", {"data-field": "code"}, this.#code, this.#refused), element("td", {class: "origin"}, this.#origin, this.#reset));
		if (row.sites_override !== undefined)
			this.element.append(element("td", {class: "spare"}, String(row.sites_override)));
		this.#show(row);
	}

	#show(row) {
		const level = this.#level;
		const set = own(row, level, "enabled") || own(row, level, "code");
		const from = new Set([row.enabled_level, row.code_level].map((one) => texts.library.levels[one]));
		this.#row = row;
		this.#enabled.checked = row.enabled;
		this.#showCode();
		this.#origin.textContent = [...from].join(", ");
		this.#reset.classList.toggle("away", !set);
		this.element.classList.toggle("enabled", row.enabled);
		this.element.classList.toggle("inherited", !set);
	}

	// Never under the hands of who types, and what is refused stays.
	#showCode() {
		if (document.activeElement !== this.#code && !this.#code.hasAttribute("aria-invalid"))
			this.#code.value = this.#row.code;
	}

	#change(change) {
		this.#last = this.#last.then(() => this.#store(change));
	}

	async #store(change) {
		const kept = (value) => own(this.#row, this.#level, value) ? this.#row[value] : null;
		const reset = document.activeElement === this.#reset;
		const stored = await attempt(async () => {
			const row = await this.#save({enabled: kept("enabled"), code: kept("code"), ...change});
			this.#refused.textContent = "";
			this.#code.removeAttribute("aria-invalid");
			this.#show(row);
		}, this.element);
		if (stored && reset)
			this.#enabled.focus();
	}
}

// save(row, change) as above. The rows are of one kind.
export function libraryTable(title, rows, level, save, mayChange = true) {
	const columns = ["subject", "enabled", "code", "origin"].map((name) => ({text: texts.library[name]}));
	if (rows.some((row) => row.sites_override !== undefined))
		columns.push({text: texts.library.overrides, class: "spare"});
	const grid = table(title, columns);
	grid.classList.add("library");
	for (const row of rows)
		grid.tBodies[0].append(new LibraryRow(row, level, (change) => save(row, change)).element);
	return wide(title, grid, mayChange);
}

// A grid for each kind that there are rows of; the zone types' is open. Who may
// not change it sees it all the same.
export function libraryGroups(rows, level, mayChange, save) {
	return element("fieldset", {class: "choice", disabled: !mayChange}, ...Object.entries(texts.library.kinds)
		.map(([kind, title]) => ({kind, title, some: rows.filter((row) => row.kind === kind)}))
		.filter(({some}) => some.length)
		.map(({kind, title, some}) => element("details", {open: kind === "zone_type"}, element("summary", {}, title),
			libraryTable(title, some, level, save, mayChange))));
}
