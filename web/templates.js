// What a dealer's new customers may begin with: station, arming, timers and
// alarm codes under a name.
import {api} from "/api.js";
import {button, element, listing} from "/dom.js";
import {input, numberOf, select, valuesOf} from "/field.js";
import {libraryGroups} from "/library.js";
import {attempt, removal, say, whenSent} from "/page.js";
import {fill, texts} from "/texts.js";

const timers = ["entry_delay_s", "exit_delay_s", "repeat_filter_s", "test_interval_s"];

function templateForm(template, {stations, methods}, done) {
	const unsaid = {value: "", text: texts.templates.unsaid};
	const form = element("form", {id: "template"},
		input("name", texts.templates.name, {required: true, value: template?.name}),
		...template ? [
			select("station_record_id", texts.account.station_record_id, [unsaid, ...stations.map(({id, name}) => ({value: id, text: name}))],
				template.station_record_id),
			select("arming_method", texts.arming.arming_method, [unsaid, ...methods.map(({name, title}) => ({value: name, text: title}))],
				template.arming_method),
			input("timezone", texts.place.timezone, {value: template.timezone}, texts.place.timezoneHint),
			element("div", {class: "row"}, ...timers.map((name) => input(name, texts.timers[name], {type: "number", min: 0, value: template[name]})))]
			: [],
		element("div", {class: "row"}, element("button", {class: "main"}, texts.form.save), button(texts.form.cancel, () => done(""))));
	return {form, values: () => {
		const values = valuesOf(form);
		for (const name of ["station_record_id", ...timers])
			values[name] = numberOf(values[name]);
		return values;
	}};
}

class Templates extends HTMLElement {
	#known = {};

	connectedCallback() {
		this.loaded = attempt(async () => {
			const [stations, methods] = await Promise.all([api.stations(this.#dealerId), api.items("/arming-methods")]);
			this.#known = {methods, stations};
			await this.#load();
		});
	}

	get #dealerId() {
		return Number(this.dataset.dealer);
	}

	async #load() {
		const templates = (await api.items("/templates")).filter((one) => one.dealer_id === this.#dealerId);
		const mayChange = api.user.writes_settings;
		this.replaceChildren(element("h3", {tabindex: -1}, texts.templates.title), element("p", {class: "hint"}, texts.templates.hint),
			templates.length ? listing(texts.templates.title, [
				{text: texts.templates.name, show: (one) => one.name},
				{text: texts.account.station_record_id, spare: true,
					show: (one) => this.#known.stations.find(({id}) => id === one.station_record_id)?.name},
				{text: texts.site.arming, spare: true, show: (one) => this.#known.methods.find(({name}) => name === one.arming_method)?.title},
				{text: texts.form.actions, show: (one) => mayChange ? element("div", {class: "row tight"},
					button(texts.form.edit, () => attempt(() => this.#edit(one)), {"aria-label": `${texts.form.edit}: ${one.name}`}),
					removal(texts.form.remove, one.name, () => api.remove(`/templates/${one.id}`, `"${one.version}"`), this.#done,
						fill(texts.templates.sure, one))) : null}], templates) : element("p", {}, texts.templates.none),
			mayChange ? button(texts.templates.add, () => this.#add(), {id: "add-template"}) : "");
	}

	#add() {
		const {form, values} = templateForm(null, this.#known, this.#done);
		this.#open(texts.templates.add, whenSent(form, async () => {
			const made = await api.post("/templates", {name: values().name, dealer_id: this.#dealerId});
			await this.#edit((await api.items("/templates")).find(({id}) => id === made.id));
		}));
	}

	async #edit(template) {
		const path = `/templates/${template.id}`;
		const {form, values} = templateForm(template, this.#known, this.#done);
		const rows = await api.items(`${path}/library`);
		const save = async (row, change) => {
			await api.put(`${path}/library/${row.kind}/${encodeURIComponent(row.subject)}`, change);
			return (await api.items(`${path}/library`)).find((one) => one.kind === row.kind && one.subject === row.subject) ?? row;
		};
		this.#open(template.name, whenSent(form, async () => {
			await api.patch(path, values(), `"${template.version}"`);
			await this.#done(texts.templates.saved);
		}), element("h4", {}, texts.library.caption), libraryGroups(rows, "template", true, save));
	}

	#open(title, ...parts) {
		this.replaceChildren(element("h3", {}, title), ...parts);
		this.querySelector("input").focus();
	}

	#done = async (sentence) => {
		await this.#load();
		this.querySelector("h3").focus();
		say(sentence, true);
	};
}

customElements.define("tocsin-templates", Templates);
