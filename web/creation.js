// A new customer, step by step. The address names the step, so that the
// browser's back button goes one step back; what was typed is in the draft.
import {api} from "/api.js";
import {dropDraft, keepDraft, readDraft} from "/draft.js";
import {button, describe, element} from "/dom.js";
import {check, choice, input, numberOf, refuse, select, valuesOf} from "/field.js";
import {libraryTable} from "/library.js";
import {attempt, goTo, say} from "/page.js";
import {addressFields, placeFields} from "/place.js";
import {fill, texts} from "/texts.js";

// What a step shows, and the fields whose refusal belongs to it.
const steps = [
	{name: "place", show: placeStep, fields: ["dealer_id", "name", "address1", "address2", "city", "region",
		"postal_code", "country", "timezone", "external_id", "template_id"]},
	{name: "station", show: stationStep, fields: ["station_record_id", "account_number", "reference_id"]},
	{name: "arming", show: armingStep, fields: ["arming_method"]},
	{name: "zones", show: zonesStep, fields: ["code", "library", "zone_type"]},
	{name: "review", show: reviewStep, fields: []},
];

// A refusal of the whole customer, to be shown by the step that has the field.
let refused = null;

async function placeStep({values}) {
	const [dealers, all] = await Promise.all([api.items("/dealers"), api.items("/templates")]);
	values.dealer_id ??= dealers[0]?.id;
	const timezone = values.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
	return [
		dealers.length > 1 ? select("dealer_id", texts.place.dealer_id,
			dealers.map((dealer) => ({value: dealer.id, text: dealer.name})), values.dealer_id) : null,
		...await placeFields({...values, timezone}),
		all.length ? select("template_id", texts.place.template_id, [{value: "", text: texts.place.noTemplate},
			...all.filter((one) => one.dealer_id === values.dealer_id).map(({id, name}) => ({value: id, text: name}))],
		values.template_id, texts.place.templateHint) : null,
	];
}

// What the customer begins with; an empty one where none is chosen.
async function templateOf({template_id: id}) {
	return (id ? (await api.items("/templates")).find((one) => String(one.id) === String(id)) : null) ?? {};
}

async function stationStep({values}) {
	const [stations, template] = await Promise.all([api.stations(values.dealer_id), templateOf(values)]);
	// a number without a station would be one for the template's
	const none = template.station_record_id ? [] : [{value: "", text: texts.creation.noStation}];
	const sent = element("p", {class: "hint", role: "status"});
	const parts = [
		select("station_record_id", texts.account.station_record_id,
			[...none, ...stations.map((one) => ({value: one.id, text: one.name}))],
			values.station_record_id ?? template.station_record_id),
		element("p", {}, element("a", {href: "#/settings"}, texts.creation.unlisted)),
		input("account_number", texts.account.account_number, {value: values.account_number, maxlength: 16},
			texts.creation.accountUnsent),
		sent,
		input("reference_id", texts.account.reference_id, {value: values.reference_id, maxlength: 64},
			texts.account.referenceHint),
	];
	const tell = (event) => {
		const {station_record_id: record, account_number: number} = event.currentTarget.elements;
		const station = stations.find((one) => String(one.id) === record.value);
		const account = (station && !station.receiver_adds_prefix ? station.prefix ?? "" : "") + number.value.trim().toUpperCase();
		sent.textContent = station && number.value.trim() ? fill(texts.creation.accountSent, {account}) : "";
	};
	return Object.assign(parts, {whenTyped: tell});
}

async function armingStep({values}) {
	const [methods, template] = await Promise.all([api.items("/arming-methods"), templateOf(values)]);
	return [choice("arming_method", texts.arming.arming_method,
		methods.map(({name, title, description}) => ({value: name, text: title, sentence: description})),
		values.arming_method ?? template.arming_method ?? "always")];
}

function zoneTypes({dealer_id: dealer, template_id: template}) {
	return api.items(template ? `/templates/${template}/library` : `/dealers/${dealer}/library`)
		.then((rows) => rows.filter((row) => row.kind === "zone_type"));
}

// What a zone type is with the difference, if there is one.
function merged(row, difference) {
	const {sites_override: ignored, ...base} = row;
	const set = {...base};
	for (const name of ["enabled", "code"])
		if (difference && difference[name] !== null)
			Object.assign(set, {[name]: difference[name], [`${name}_level`]: "site"});
	return set;
}

async function zonesStep(draft) {
	const rows = await zoneTypes(draft.values);
	const save = (row, change) => {
		const inherited = rows.find((one) => one.subject === row.subject);
		draft.library[row.subject] = change;
		if (change.enabled === null && change.code === null)
			delete draft.library[row.subject];
		keepDraft(draft);
		return merged(inherited, draft.library[row.subject]);
	};
	return [element("p", {class: "hint"}, texts.creation.zonesHint),
		libraryTable(texts.library.caption, rows.map((row) => merged(row, draft.library[row.subject])), "site", save)];
}

function reviewPart(step, pairs) {
	const title = texts.creation.steps[step];
	return element("section", {class: "part"}, element("h3", {}, title), describe(pairs),
		button(texts.creation.change, () => goTo(`new/${step}`), {"aria-label": `${texts.creation.change}: ${title}`}));
}

async function reviewStep({values, library}) {
	const [stations, methods, rows] = await Promise.all([api.stations(values.dealer_id), api.items("/arming-methods"),
		zoneTypes(values)]);
	const changed = rows.filter((row) => library[row.subject]).map((row) => {
		const {title, enabled, code} = merged(row, library[row.subject]);
		return [title, fill(texts.creation.changed, {state: enabled ? texts.library.forwarded : texts.library.held, code})];
	});
	const station = stations.find((one) => one.id === numberOf(values.station_record_id));
	return [
		reviewPart("place", ["name", ...addressFields, "timezone", "external_id"]
			.map((name) => [texts.place[name], values[name]])),
		reviewPart("station", [[texts.account.station_record_id, station?.name ?? texts.creation.noStation],
			[texts.account.account_number, values.account_number], [texts.account.reference_id, values.reference_id]]),
		reviewPart("arming", [[texts.arming.arming_method,
			methods.find((one) => one.name === (values.arming_method ?? "always"))?.title]]),
		reviewPart("zones", changed.length ? changed : [[texts.library.caption, texts.creation.inherited]]),
	];
}

async function create(draft) {
	const {station_record_id: station, template_id: template, latitude, longitude, address_search: ignored, ...values} = draft.values;
	const library = Object.entries(draft.library).map(([number, change]) => ({zone_type: Number(number), ...change}));
	const made = await api.post("/sites", {...values, station_record_id: numberOf(station),
		template_id: numberOf(template), latitude: numberOf(latitude), longitude: numberOf(longitude), library});
	dropDraft();
	goTo(`site/${made.id}`);
}

class Creation extends HTMLElement {
	#draft = readDraft();
	#step = steps[0];
	#form = element("form", {novalidate: true});

	async connectedCallback() {
		this.#draft.values.dealer_id ??= api.user.dealer_id;
		if (this.#draft.values.dealer_id) // what the later steps show depends on it
			this.#step = steps.find((step) => step.name === this.dataset.step) ?? steps[0];
		this.#form.addEventListener("submit", (event) => {
			event.preventDefault();
			this.#go();
		});
		this.replaceChildren(this.#heading(), this.#progress(), this.#form);
		await attempt(async () => this.#fill(await this.#step.show(this.#draft)));
	}

	#heading() {
		const number = steps.indexOf(this.#step) + 1;
		return element("div", {class: "head"}, element("h2", {tabindex: -1}, `${texts.creation.title}: `,
			fill(texts.creation.step, {number, count: steps.length, title: texts.creation.steps[this.#step.name]})),
			button(texts.creation.discard, () => this.#discard()));
	}

	#progress() {
		return element("ol", {class: "progress"}, ...steps.map((step) => element("li",
			{"aria-current": step === this.#step && "step"}, texts.creation.steps[step.name])));
	}

	#fill(parts) {
		const number = steps.indexOf(this.#step);
		const last = number === steps.length - 1;
		this.#form.append(...parts.filter(Boolean), element("div", {class: "row"},
			number > 0 ? button(texts.creation.back, () => this.#leave(steps[number - 1])) : null,
			element("button", {class: "main", id: last ? "create" : "next"}, last ? texts.creation.create : texts.creation.next)),
			element("p", {class: "hint"}, texts.creation.kept));
		if (parts.whenTyped) {
			this.#form.addEventListener("input", parts.whenTyped);
			this.#form.dispatchEvent(new Event("input"));
		}
		this.#form.addEventListener("input", () => this.#keep());
		this.#showRefused();
	}

	#showRefused() {
		if (refused && !refuse(this.#form, refused.field, refused.message))
			say(refused.message);
		refused = null;
	}

	// Of the fields with names; the grid of codes keeps its own.
	#keep() {
		Object.assign(this.#draft.values, valuesOf(this.#form));
		this.#draft.values.dealer_id = numberOf(this.#draft.values.dealer_id);
		keepDraft(this.#draft);
	}

	#leave(step) {
		this.#keep();
		goTo(`new/${step.name}`);
	}

	async #go() {
		const next = steps[steps.indexOf(this.#step) + 1];
		if (next && check(this.#form))
			this.#leave(next);
		else if (!next)
			await this.#create();
	}

	async #create() {
		const pressed = this.querySelector("#create");
		pressed.disabled = true;
		await attempt(async () => {
			try {
				await create(this.#draft);
			} catch (problem) {
				const step = steps.find((one) => one.fields.includes(problem.field));
				if (!step)
					throw problem;
				refused = problem;
				goTo(`new/${step.name}`);
			}
		});
		pressed.disabled = false;
	}

	#discard() {
		if (!confirm(texts.creation.discardSure))
			return;
		dropDraft();
		goTo("customers");
	}
}

customElements.define("tocsin-creation", Creation);
