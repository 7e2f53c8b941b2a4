// A customer: the overview, and each thing that may be done about it in a
// section of its own.
import {api} from "/api.js";
import {channelsSection} from "/channels.js";
import {contactsSection} from "/contacts.js";
import {button, describe, element, listing, section, time} from "/dom.js";
import {choice, input, numberOf, select, valuesOf} from "/field.js";
import {history} from "/history.js";
import {libraryGroups} from "/library.js";
import {attempt, say, whenSent} from "/page.js";
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
		[{value: "", text: texts.creation.noStation}, ...stations.filter((one) => one.dealer_id === site.dealer_id)
			.map((one) => ({value: one.id, text: one.name}))], site.station_record_id),
	input("account_number", texts.account.account_number, {value: site.account_number, maxlength: 16}),
	input("reference_id", texts.account.reference_id, {value: site.reference_id, maxlength: 64}, texts.account.referenceHint),
	element("button", {}, texts.site.save));
	return whenSent(form, async () => {
		const values = valuesOf(form);
		await api.patch(`/sites/${site.id}`, {...values, station_record_id: numberOf(values.station_record_id)}, version);
		await done(texts.site.saved);
	});
}

function armingForm(site, version, methods, bridges, done) {
	const form = element("form", {}, choice("arming_method", texts.arming.arming_method,
		methods.map(({name, title, description}) => ({value: name, text: title, sentence: description})), site.arming_method),
	select("bridge_id", texts.arming.bridge_id, [{value: "", text: texts.arming.noBridge},
		...bridges.map((one) => ({value: one.id, text: one.serial}))], site.arming_bridge_id),
	element("button", {}, texts.arming.save));
	return whenSent(form, async () => {
		const {arming_method: method, bridge_id: bridge} = valuesOf(form);
		await api.put(`/sites/${site.id}/arming`, {arming_method: method, bridge_id: numberOf(bridge)}, version);
		await done(texts.arming.saved);
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
	const until = new Date(site.on_test_until).toLocaleString();
	whenSent(form, async () => {
		await api.post(`/sites/${site.id}/test`, {minutes: numberOf(form.elements.minutes.value),
			forward: form.elements.forward.checked});
		await done("");
	});
	return section(texts.test.title, ...site.on_test_until
		? [element("p", {}, fill(texts.test.running, {until})), stop]
		: [element("p", {}, texts.test.none), form]);
}

function registerForm(site, done) {
	const form = element("form", {id: "register"}, input("claim_code", texts.bridges.claim_code, {required: true, spellcheck: "false"},
		texts.bridges.claimHint), element("button", {}, texts.bridges.register));
	return whenSent(form, async () => {
		await api.post(`/sites/${site.id}/bridges`, {claim_code: form.elements.claim_code.value.trim()});
		await done(texts.bridges.registered);
	});
}

function unregisterButton(bridge, done) {
	return button(texts.bridges.unregister, () => attempt(async () => {
		if (!confirm(fill(texts.bridges.sure, bridge)))
			return;
		await api.remove(`/bridges/${bridge.id}/registration`);
		await done("");
	}), {"aria-label": fill(texts.bridges.unregisterOf, bridge)});
}

function bridgeTable(bridges, mayChange, done) {
	return listing(texts.bridges.title, [
		{text: texts.bridges.serial, show: (bridge) => bridge.serial},
		{text: texts.bridges.state, show: (bridge) => bridge.state},
		{text: texts.bridges.kind, spare: true, show: (bridge) => bridge.kind},
		{text: texts.bridges.channels, show: (bridge) => String(bridge.channels)},
		{text: texts.bridges.account, spare: true, show: (bridge) => bridge.transport_account},
		{text: texts.bridges.supervision, spare: true, show: (bridge) => bridge.supervision},
		{text: texts.form.actions, show: (bridge) => mayChange ? unregisterButton(bridge, done) : null}], bridges);
}

function bridgesSection(site, bridges, mayChange, done) {
	return section(texts.bridges.title,
		bridges.length ? bridgeTable(bridges, mayChange, done) : element("p", {}, texts.bridges.none),
		mayChange ? registerForm(site, done) : null);
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
	async connectedCallback() {
		this.replaceChildren(element("h2", {tabindex: -1}, texts.site.unnamed));
		await attempt(() => this.#load());
	}

	async #load() {
		const path = `/sites/${this.dataset.site}`;
		const [{value: site, version}, warnings, bridges, library, contacts, methods, stations] = await Promise.all([
			api.getVersioned(path), ...["warnings", "bridges", "library", "contacts"].map((name) => api.items(`${path}/${name}`)),
			api.items("/arming-methods"), api.items("/stations")]);
		const focused = this.contains(document.activeElement);
		const mayChange = api.user.writes_sites;
		const done = (sentence) => this.#reload(sentence);
		const account = section(texts.site.details, accountForm(site, version, stations, done));
		const signals = bridgesSection(site, bridges, mayChange, done);
		this.replaceChildren(this.#head(site), mayChange ? this.#actions(site, account, signals, done) : "",
			overview(site), warningsOf(warnings) ?? "", signals,
			await channelsSection(bridges, mayChange, done) ?? "", contactsSection(site, contacts, mayChange, done), history(site),
			...mayChange ? [testSection(site, done), account, section(texts.site.arming, armingForm(site, version, methods, bridges, done))] : [],
			librarySection(site, library, mayChange));
		document.title = `${site.name} - ${texts.title}`;
		if (focused)
			this.querySelector("h2").focus();
	}

	async #reload(sentence) {
		await this.#load();
		say(sentence, true);
	}

	#head(site) {
		return element("div", {class: "head"}, element("h2", {tabindex: -1}, site.name),
			element("span", {class: "badge"}, site.security));
	}

	#actions(site, account, signals, done) {
		const change = site.state === "inactive" ? "reactivate" : "deactivate";
		return element("div", {class: "row"},
			button(texts.site.register, () => signals.querySelector("#register input").focus(), {class: "main"}),
			button(texts.site.details, () => account.querySelector("select").focus()),
			button(texts.site[change], () => attempt(async () => {
				await api.post(`/sites/${site.id}/${change}`);
				await done("");
			})));
	}
}

customElements.define("tocsin-site", Site);
