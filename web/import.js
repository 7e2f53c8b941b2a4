// Many customers, inputs or contacts from a file: what would become of each
// row is shown first, and nothing is stored until that is confirmed.
import {api} from "/api.js";
import {dealerChooser} from "/dealers.js";
import {button, element, listing} from "/dom.js";
import {field, select} from "/field.js";
import {attempt, say, whenSent} from "/page.js";
import {fill, texts} from "/texts.js";

const kinds = ["site", "channel", "contact"];
const writtenLength = 60;

class Import extends HTMLElement {
	#dealerId = api.user.dealer_id;
	#results = element("section", {class: "part", "aria-label": texts.import.results, hidden: true});

	async connectedCallback() {
		const columns = element("p", {class: "hint"});
		const kind = select("kind", texts.import.kind, kinds.map((one) => ({value: one, text: texts.import.kinds[one]})), null);
		const form = element("form", {id: "import"}, kind, columns,
			field("file", texts.import.file, element("input", {type: "file", accept: ".csv,text/csv", required: true}), texts.import.fileHint),
			element("button", {class: "main"}, texts.import.preview));
		const tell = () => {
			columns.textContent = texts.import.columns[form.elements.kind.value];
			this.#results.hidden = true;
		};
		kind.addEventListener("change", tell);
		form.elements.file.addEventListener("change", () => { this.#results.hidden = true; });
		tell();
		this.replaceChildren(element("h2", {tabindex: -1}, texts.import.title), element("p", {}, texts.import.hint), form, this.#results);
		whenSent(form, async () => {
			const file = await form.elements.file.files[0].text();
			await this.#send(form.elements.kind.value, file, false);
		});
		await attempt(async () => {
			const dealers = await api.items("/dealers");
			this.#dealerId ??= dealers[0]?.id;
			kind.before(dealerChooser(dealers, this.#dealerId, (id) => {
				this.#dealerId = id;
				this.#results.hidden = true;
			}) ?? "");
		});
	}

	async #send(kind, file, apply) {
		const {items} = await api.post(`/import/${kind}/file${apply ? "?apply=true" : ""}`, {file, dealer_id: this.#dealerId});
		const count = (outcome) => items.filter((row) => row.outcome === outcome).length;
		const summary = fill(apply ? texts.import.done : texts.import.found,
			{good: count("stored"), there: count("there"), refused: count("refused")});
		const store = button(fill(texts.import.apply, {good: count("stored")}), async () => {
			store.disabled = true;
			await attempt(() => this.#send(kind, file, true));
			store.disabled = false;
		}, {class: "main", id: "apply"});
		this.#results.hidden = false;
		this.#results.replaceChildren(element("h3", {tabindex: -1}, apply ? texts.import.stored : texts.import.results),
			element("p", {role: "status"}, summary), !apply && count("stored") ? store : "", this.#table(items, kind, apply, file.split(/\r?\n/)));
		this.#results.querySelector("h3").focus();
		say(apply ? summary : "", true);
	}

	// lines: of the file, by which a row is known.
	#table(items, kind, apply, lines) {
		const outcome = (row) => row.outcome === "stored" && !apply ? texts.import.outcomes.good : texts.import.outcomes[row.outcome];
		const said = (row) => [row.name && fill(texts.import.column, row), row.sentence].filter(Boolean).join(": ");
		const linked = (row) => kind === "site" && row.id && (apply || row.outcome === "there")
			? element("a", {href: `#/site/${row.id}`}, outcome(row)) : outcome(row);
		return listing(texts.import.results, [
			{text: texts.import.line, show: (row) => String(row.line)},
			{text: texts.import.written, spare: true, show: (row) => lines[row.line - 1]?.slice(0, writtenLength)},
			{text: texts.import.outcome, show: (row) => element("span", {class: row.outcome === "refused" && "wrong"}, linked(row))},
			{text: texts.import.sentence, show: said}], items);
	}
}

customElements.define("tocsin-import", Import);
