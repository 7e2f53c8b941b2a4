// A customer: the overview, and each thing that may be done about it in a
// section of its own.
import {api} from "/api.js";
import {armingSection, partitionsSection} from "/arming.js";
import {bridgesSection} from "/bridges.js";
import {channelsSection, readChannels} from "/channels.js";
import {contactsSection} from "/contacts.js";
import {armedSection} from "/armed.js";
import {button, describe, element, section, time} from "/dom.js";
import {input, numberOf, select, valuesOf} from "/field.js";
import {history} from "/history.js";
import {libraryGroups} from "/library.js";
import {membersSection} from "/members.js";
import {attempt, say, whenSent} from "/page.js";
import {addressFields, placeFields} from "/place.js";
import {fill, texts} from "/texts.js";

function overview(site) {
	return describe([
		[texts.site.address, [site.address1, site.address2, site.postal_code, site.city, site.region, site.country]
			.filter(Boolean).join(", ")],
		[texts.site.timezone, site.timezone],
		[texts.site.account, site.effective_account],
		[texts.site.reference, site.reference_id],
		[texts.site.station, site.station ?? texts.creation.noStation],
		[texts.site.receiver, site.receiver],
		[texts.site.arming, site.arming_title],
		[texts.site.launch, /^https?:/.test(site.launch_url ?? "") ? element("a", {href: site.launch_url, rel: "noreferrer"}, site.launch_url) : null],
		[texts.site.external, site.external_id],
		[texts.site.onTest, site.on_test_until ? time(site.on_test_until) : null],
		[texts.site.activationEnds, site.activation_ends ? time(site.activation_ends) : null]]);
}

function warningsOf(warnings) {
	return warnings.length ? element("section", {class: "part"}, element("h3", {}, texts.site.warnings),
		element("ul", {}, ...warnings.map(({sentence}) => element("li", {}, sentence)))) : null;
}

function accountForm(site, version, stations, done) {
	const form = element("form", {}, select("station_record_id", texts.account.station_record_id,
		[{value: "", text: texts.creation.noStation}, ...stations.map((one) => ({value: one.id, text: one.name}))],
	site.station_record_id),
	input("account_number", texts.account.account_number, {value: site.account_number, maxlength: 16}),
	input("reference_id", texts.account.reference_id, {value: site.reference_id, maxlength: 64}, texts.account.referenceHint),
	element("button", {}, texts.site.save));
	return whenSent(form, async () => {
		const values = valuesOf(form);
		await api.patch(`/sites/${site.id}`, {...values, station_record_id: numberOf(values.station_record_id)}, version);
		await done(texts.site.saved);
	});
}

function testSection(site, done) {
	const stop = button(texts.test.stop, () => attempt(async () => {
		await api.remove(`/sites/${site.id}/test`);
		await done("");
	}));
	const form = element("form", {}, input("minutes", texts.test.minutes, {type: "number", min: 1, value: 60}),
		element("label", {}, element("input", {type: "checkbox", name: "forward"}), ` ${texts.test.forward}`),
		element("p", {}, element("button", {}, texts.test.start)));
	whenSent(form, async () => {
		await api.post(`/sites/${site.id}/test`, {minutes: numberOf(form.elements.minutes.value),
			forward: form.elements.forward.checked});
		await done("");
	});
	return section(texts.test.title, ...site.on_test_until
		? [element("tocsin-clock", {"data-until": site.on_test_until}), stop]
		: [element("p", {}, texts.test.none), form]);
}

// Where the customer is, and the timers of its signals.
async function detailsForm(site, version, done) {
	const timers = ["entry_delay_s", "exit_delay_s", "repeat_filter_s", "test_interval_s"];
	const form = element("form", {id: "details"}, element("div", {class: "row"}, ...await placeFields(site)),
		element("div", {class: "row"}, ...timers.map((name) => input(name, texts.timers[name], {type: "number", min: 0, value: site[name]},
			texts.timers[`${name}_hint`])),
		select("ack_level", texts.ackLevel.label, ["", "local", "delivered"].map((value) =>
			({value, text: texts.ackLevel[value || "inherit"]})), site.ack_level, texts.ackLevel.hint)),
		element("button", {}, texts.form.save));
	return whenSent(form, async () => {
		const {address_search: ignored, ...values} = valuesOf(form);
		for (const name of addressFields)
			values[name] ??= "";
		for (const name of ["latitude", "longitude", ...timers])
			values[name] = numberOf(values[name]);
		await api.patch(`/sites/${site.id}`, values, version);
		await done(texts.site.detailsSaved);
	});
}

function librarySection(site, rows, mayChange) {
	const save = async (row, change) => {
		await api.put(`/sites/${site.id}/library/${row.kind}/${encodeURIComponent(row.subject)}`, change);
		const now = await api.items(`/sites/${site.id}/library`);
		return now.find((one) => one.kind === row.kind && one.subject === row.subject && one.channel_id === null) ?? row;
	};
	return section(texts.library.caption,
		libraryGroups(rows.filter((row) => row.channel_id === null), "site", mayChange, save));
}

class Site extends HTMLElement {
	#pressed = null; // the section in which something was

	async connectedCallback() {
		this.addEventListener("click", ({target}) => {
			this.#pressed = target.closest("section")?.getAttribute("aria-label") ?? null;
		});
		this.replaceChildren(element("h2", {tabindex: -1}, texts.site.unnamed));
		await attempt(() => this.#load());
	}

	async #load() {
		const path = `/sites/${this.dataset.site}`;
		const [{value: site, version}, warnings, bridges, library, contacts, partitions, members, methods] =
			await Promise.all([api.getVersioned(path),
				...["warnings", "bridges", "library", "contacts", "partitions", "members"].map((name) => api.items(`${path}/${name}`)),
				api.items("/arming-methods")]);
		const [known, stations] = await Promise.all([readChannels(bridges), api.stations(site.dealer_id)]);
		const mayChange = api.user.writes_sites;
		const done = (sentence) => this.#reload(sentence);
		const account = mayChange ? section(texts.site.details, accountForm(site, version, stations, done)) : null;
		const signals = bridgesSection(site, bridges, mayChange, done);
		this.replaceChildren(...[this.#head(site), mayChange ? this.#actions(site, account, signals, done) : null,
			overview(site), warningsOf(warnings), armedSection(site, mayChange), signals, channelsSection(known, mayChange, done),
			contactsSection(site, contacts, mayChange, done), history(site), mayChange ? testSection(site, done) : null, account,
			mayChange ? section(texts.site.place, await detailsForm(site, version, done)) : null,
			await armingSection(site, version, methods, bridges, partitions, mayChange, done),
			partitionsSection(site, partitions, known.channels, mayChange, done),
			await membersSection(site, members, mayChange, done), librarySection(site, library, mayChange)].filter(Boolean));
		document.title = `${site.name} - ${texts.title}`;
	}

	// What was done stays in sight: its section's heading takes the focus.
	async #reload(sentence) {
		const place = this.#pressed;
		await this.#load();
		const again = [...this.querySelectorAll("section")].find((one) => one.getAttribute("aria-label") === place);
		(again?.querySelector("h3") ?? this.querySelector("h2")).focus();
		say(sentence, true);
	}

	#head(site) {
		return element("div", {class: "head"}, element("h2", {tabindex: -1}, site.name),
			element("span", {class: "badge"}, site.security));
	}

	#actions(site, account, signals, done) {
		const change = site.security === "inactive" ? "reactivate" : "deactivate";
		return element("div", {class: "row"},
			button(texts.site.register, () => signals.querySelector("#register input").focus(), {class: "main"}),
			button(texts.site.details, () => account.querySelector("select").focus()),
			button(texts.site.sendTest, () => attempt(async () => {
				await api.post(`/sites/${site.id}/test-signal`);
				const place = this.querySelector("tocsin-history").closest("section");
				place.querySelector("h3").focus();
				place.scrollIntoView();
				say(texts.site.testSent, true);
			}), {id: "send-test"}),
			button(texts.site[change], () => attempt(async () => {
				await api.post(`/sites/${site.id}/${change}`);
				await done("");
			})));
	}
}

customElements.define("tocsin-site", Site);
