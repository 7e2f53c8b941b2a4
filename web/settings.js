// What is the dealer's own: its station records, templates and webhooks, and the
// alarm codes that its customers inherit.
import "/templates.js";
import "/webhooks.js";
import {api} from "/api.js";
import {dealerChooser} from "/dealers.js";
import {button, element, listing} from "/dom.js";
import {input, numberOf, select, valuesOf} from "/field.js";
import {libraryGroups} from "/library.js";
import {attempt, say, whenSent} from "/page.js";
import {fill, texts} from "/texts.js";

const urlParameters = ["act", "csid", "txid"];

// station: the one that is changed, null for a new one.
function stationForm(dealerId, station, {centers, receivers}, done) {
	const form = element("form", {id: "station"},
		input("name", texts.settings.name, {required: true, value: station?.name}),
		select("center_id", texts.settings.center_id, centers.map((one) => ({value: one.id, text: one.name})), station?.center_id),
		select("receiver_id", texts.settings.receiver_id, [], null),
		input("passkey", texts.settings.passkey, {type: "password", autocomplete: "new-password"}, texts.settings.passkeyHint),
		input("prefix", texts.settings.prefix, {value: station?.prefix, maxlength: 16}, texts.settings.prefixHint),
		element("label", {}, element("input", {type: "checkbox", name: "receiver_adds_prefix",
			checked: station?.receiver_adds_prefix}), ` ${texts.settings.receiver_adds_prefix}`),
		input("line_card", texts.settings.line_card, {value: station?.line_card, maxlength: 6}),
		input("url_template", texts.settings.url_template, {value: station?.url_template, maxlength: 400}),
		select("url_parameter", texts.settings.url_parameter, urlParameters.map((one) => ({value: one, text: one})),
			station?.url_parameter ?? urlParameters[0]),
		element("div", {class: "row"}, element("button", {class: "main"}, texts.form.save),
			button(texts.form.cancel, () => done(""))));
	const {center_id: center, receiver_id: receiver} = form.elements;
	const offer = () => receiver.replaceChildren(element("option", {value: ""}, texts.settings.receiverNone),
		...receivers.filter((one) => String(one.center_id) === center.value).map((one) =>
			element("option", {value: one.id, selected: one.id === station?.receiver_id}, one.name)));
	center.addEventListener("change", offer);
	offer();
	return whenSent(form, async () => {
		const values = valuesOf(form);
		const record = {...values, dealer_id: dealerId, center_id: numberOf(values.center_id),
			receiver_id: numberOf(values.receiver_id), receiver_adds_prefix: form.elements.receiver_adds_prefix.checked};
		await (station ? api.put(`/stations/${station.id}`, record, station.version && `"${station.version}"`)
			: api.post("/stations", record));
		await done(texts.settings.saved);
	});
}

function removeStation(station, done) {
	return attempt(async () => {
		if (!confirm(fill(texts.settings.removeSure, station)))
			return;
		await api.remove(`/stations/${station.id}`, `"${station.version}"`);
		await done("");
	});
}

class Settings extends HTMLElement {
	#dealerId = api.user.dealer_id;
	#known = {};
	#stations = element("section", {class: "part", "aria-label": texts.settings.stations});
	#templates = element("section", {class: "part", "aria-label": texts.templates.title});
	#webhooks = element("section", {class: "part", "aria-label": texts.webhooks.title, hidden: !api.user.writes_settings});
	#library = element("section", {class: "part", "aria-label": texts.settings.library});
	// shown when all of them are there, so that none moves what is above it
	#parts = element("div", {hidden: true}, this.#stations, this.#templates, this.#webhooks, this.#library);

	async connectedCallback() {
		this.replaceChildren(element("h2", {tabindex: -1}, texts.settings.title));
		await attempt(async () => {
			const [dealers, centers, receivers] = await Promise.all(["/dealers", "/centers", "/receivers"]
				.map((path) => api.items(path)));
			this.#known = {centers, dealers, receivers};
			this.#dealerId ??= dealers[0]?.id;
			this.append(dealerChooser(dealers, this.#dealerId, (id) => {
				this.#dealerId = id;
				attempt(() => this.#load());
			}) ?? "", this.#parts);
			// what is refused is said; the other parts are there all the same
			await this.#load().finally(() => this.#parts.hidden = false);
		});
	}

	async #load() {
		const own = [element("tocsin-templates", {"data-dealer": this.#dealerId})];
		this.#templates.replaceChildren(own[0]);
		if (api.user.writes_settings) {
			own.push(element("tocsin-webhooks", {"data-dealer": this.#dealerId,
				"data-allowed": this.#known.dealers.find(({id}) => id === this.#dealerId)?.webhooks ?? 0}));
			this.#webhooks.replaceChildren(own[1]);
		}
		await Promise.all([this.#showStations(), this.#showLibrary(), ...own.map(({loaded}) => loaded)]);
	}

	async #showStations() {
		const stations = await api.stations(this.#dealerId);
		this.#stations.replaceChildren(element("h3", {tabindex: -1}, texts.settings.stations),
			stations.length ? this.#table(stations) : element("p", {}, texts.settings.noStation),
			api.user.writes_settings ? button(texts.settings.add, () => this.#edit(null), {class: "main", id: "add-station"}) : "");
	}

	#table(stations) {
		const named = (rows, id) => rows.find((one) => one.id === id)?.name;
		return listing(texts.settings.stations, [
			{text: texts.settings.name, show: (station) => station.name},
			{text: texts.settings.center, spare: true, show: (station) => named(this.#known.centers, station.center_id)},
			{text: texts.settings.receiver_id, show: (station) => station.receiver_id
				? named(this.#known.receivers, station.receiver_id) : texts.settings.receiverNone},
			{text: texts.settings.prefix, show: (station) => station.prefix},
			{text: texts.form.actions, show: (station) => this.#buttons(station)}], stations);
	}

	#buttons(station) {
		return api.user.writes_settings ? element("div", {class: "row tight"},
			button(texts.form.edit, () => this.#edit(station), {"aria-label": fill(texts.settings.editOf, station)}),
			button(texts.form.remove, () => removeStation(station, (sentence) => this.#done(sentence)),
				{"aria-label": fill(texts.settings.removeOf, station)})) : null;
	}

	#edit(station) {
		const form = stationForm(this.#dealerId, station, this.#known, (sentence) => this.#done(sentence));
		this.#stations.replaceChildren(element("h3", {}, station ? station.name : texts.settings.add), form);
		form.elements.name.focus();
	}

	async #done(sentence) {
		await this.#showStations();
		this.#stations.querySelector("h3").focus();
		say(sentence, true);
	}

	async #showLibrary() {
		const dealerId = this.#dealerId;
		const path = `/dealers/${dealerId}/library`;
		const rows = await api.items(path);
		const save = async (row, change) => {
			await api.put(`${path}/${row.kind}/${encodeURIComponent(row.subject)}`, change);
			return (await api.items(path)).find((one) => one.kind === row.kind && one.subject === row.subject) ?? row;
		};
		this.#library.replaceChildren(element("h3", {}, texts.settings.library),
			element("p", {class: "hint"}, texts.settings.libraryHint),
			libraryGroups(rows, "dealer", api.user.writes_settings, save));
	}
}

customElements.define("tocsin-settings", Settings);
