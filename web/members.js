// Who has a site in the app.
import {api} from "/api.js";
import {element, listing, section} from "/dom.js";
import {input, numberOf, select, valuesOf} from "/field.js";
import {removal, whenSent, whenTyped} from "/page.js";
import {fill, texts} from "/texts.js";

// From the app's users of the dealer, who may be many: the first ones, or those
// that are looked for.
function userChoice(site, members) {
	const user = select("user_id", texts.members.user, [], null);
	const none = element("p", {class: "hint", role: "status"});
	const offer = async (part) => {
		const wanted = new URLSearchParams({dealer_id: site.dealer_id, role: "app_member", q: part});
		const free = (await api.items(`/users?${wanted}`)).filter(({id}) => !members.some((one) => one.user_id === id));
		user.querySelector("select").replaceChildren(...free.map(({id, login, name}) =>
			element("option", {value: id}, `${name} (${login})`)));
		none.textContent = free.length ? "" : texts.members.noUser;
	};
	const search = input("user", texts.members.find, {type: "search"}, texts.members.findHint);
	whenTyped(search, offer);
	return [search, user, none, offer];
}

async function addForm(site, members, done) {
	const [search, user, none, offer] = userChoice(site, members);
	await offer("");
	const form = element("form", {class: "row", id: "add-member"}, search, user, none,
		input("user_number", texts.members.number, {type: "number", min: 1, max: 999, required: true}, texts.members.numberHint),
		...["may_arm", "may_view"].map((name) => element("label", {class: "check"},
			element("input", {type: "checkbox", name, checked: true}), ` ${texts.members[name]}`)),
		element("button", {}, texts.members.add));
	return whenSent(form, async () => {
		const {user_id: user, user_number: number} = valuesOf(form);
		await api.put(`/sites/${site.id}/members/${user}`, {user_number: numberOf(number),
			may_arm: form.elements.may_arm.checked, may_view: form.elements.may_view.checked});
		await done(texts.members.added);
	});
}

export async function membersSection(site, members, mayChange, done) {
	const said = (value) => value ? texts.users.yes : texts.users.no;
	return section(texts.members.title, members.length ? listing(texts.members.title, [
		{text: texts.members.user, show: (one) => one.name ?? one.login},
		{text: texts.members.number, show: (one) => String(one.user_number)},
		{text: texts.members.may_arm, show: (one) => said(one.may_arm)},
		{text: texts.members.may_view, spare: true, show: (one) => said(one.may_view)},
		{text: texts.form.actions, show: (one) => mayChange ? removal(texts.form.remove, one.name ?? one.login,
			() => api.remove(`/sites/${site.id}/members/${one.user_id}`), done, fill(texts.members.sure, one)) : null}], members)
		: element("p", {}, texts.members.none),
	mayChange ? await addForm(site, members, done) : null);
}
