// The bridges of a site: registering, supervising, moving, unregistering.
import {api} from "/api.js";
import {button, element, listing, section} from "/dom.js";
import {input, numberOf, select, valuesOf} from "/field.js";
import {attempt, removal, whenSent, whenTyped} from "/page.js";
import {fill, texts} from "/texts.js";

function registerForm(site, done) {
	const form = element("form", {id: "register"}, input("claim_code", texts.bridges.claim_code, {required: true, spellcheck: "false"},
		texts.bridges.claimHint), element("button", {}, texts.bridges.register));
	return whenSent(form, async () => {
		await api.post(`/sites/${site.id}/bridges`, {claim_code: form.elements.claim_code.value.trim()});
		await done(texts.bridges.registered);
	});
}

// "DP3: every 180 s, backup path 90000 s"
function className({name, primary_interval_s: primary, backup_interval_s: backup}) {
	return fill(backup ? texts.bridges.classOfTwo : texts.bridges.class, {name, primary, backup});
}

async function superviseForm(bridge, done) {
	const path = `/bridges/${bridge.id}/supervision`;
	const [classes, {value: {paths}, version}] = await Promise.all([api.items("/supervision-classes"), api.getVersioned(path)]);
	const form = element("form", {id: "supervise"},
		select("supervision_class", texts.bridges.supervision, [{value: "", text: texts.bridges.unsupervised},
			...classes.map((one) => ({value: one.name, text: className(one)}))],
		paths[0]?.supervision_class),
		element("button", {class: "main"}, texts.form.save));
	return whenSent(form, async () => {
		await api.put(path, valuesOf(form), version);
		await done(texts.bridges.supervised);
	});
}

// To another customer, who is looked for as in the list.
function transferForm(site, bridge, done) {
	const target = select("site_id", texts.bridges.target, [], null);
	const offer = async (wanted) => {
		const found = wanted ? await api.items(`/sites/search?${new URLSearchParams({q: wanted})}`) : [];
		target.querySelector("select").replaceChildren(...found.filter(({id}) => id !== site.id)
			.map(({id, name, city, effective_account: account}) => element("option", {value: id}, [name, city, account].filter(Boolean).join(", "))));
	};
	const search = input("q", texts.bridges.find, {type: "search"}, texts.customers.searchHint);
	whenTyped(search, offer);
	const form = element("form", {id: "transfer"}, element("p", {class: "hint"}, texts.bridges.transferHint), search, target,
		element("button", {class: "main"}, texts.bridges.transfer));
	return whenSent(form, async () => {
		await api.post(`/bridges/${bridge.id}/transfer`, {site_id: numberOf(form.elements.site_id.value)});
		await done(fill(texts.bridges.transferred, bridge));
	});
}

function actions(site, bridge, open, done) {
	const named = (text) => ({"aria-label": `${text}: ${bridge.serial}`});
	return element("div", {class: "row tight"},
		button(texts.bridges.supervise, () => open(fill(texts.bridges.superviseOf, bridge), superviseForm(bridge, done)),
			named(texts.bridges.supervise)),
		button(texts.bridges.transfer, () => open(fill(texts.bridges.transferOf, bridge), transferForm(site, bridge, done)),
			named(texts.bridges.transfer)),
		removal(texts.bridges.unregister, bridge.serial, () => api.remove(`/bridges/${bridge.id}/registration`), done,
			fill(texts.bridges.sure, bridge)));
}

function bridgeTable(site, bridges, mayChange, open, done) {
	return listing(texts.bridges.title, [
		{text: texts.bridges.serial, show: (bridge) => bridge.serial},
		{text: texts.bridges.state, show: (bridge) => bridge.state},
		{text: texts.bridges.kind, spare: true, show: (bridge) => bridge.kind},
		{text: texts.bridges.account, spare: true, show: (bridge) => bridge.transport_account},
		{text: texts.bridges.supervision, spare: true, show: (bridge) => bridge.supervision ?? texts.bridges.unsupervised},
		{text: texts.form.actions, show: (bridge) => mayChange ? actions(site, bridge, open, done) : null}], bridges);
}

export function bridgesSection(site, bridges, mayChange, done) {
	const place = element("div");
	const open = (title, form) => attempt(async () => {
		place.replaceChildren(element("h4", {}, title), await form);
		place.querySelector("input, select").focus();
	});
	return section(texts.bridges.title,
		bridges.length ? bridgeTable(site, bridges, mayChange, open, done) : element("p", {}, texts.bridges.none), place,
		mayChange ? registerForm(site, done) : null);
}
