// Who has a site in the app.
import {api} from "/api.js";
import {element, listing, section} from "/dom.js";
import {input, numberOf, select, valuesOf} from "/field.js";
import {removal, whenSent} from "/page.js";
import {fill, texts} from "/texts.js";

function addForm(site, users, done) {
	const form = element("form", {class: "row", id: "add-member"},
		select("user_id", texts.members.user, users.map(({id, login, name}) => ({value: id, text: `${name} (${login})`})), null),
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

export function membersSection(site, members, users, mayChange, done) {
	const said = (value) => value ? texts.users.yes : texts.users.no;
	const free = users.filter((user) => user.role === "app_member" && user.dealer_id === site.dealer_id
		&& !members.some((one) => one.user_id === user.id));
	return section(texts.members.title, members.length ? listing(texts.members.title, [
		{text: texts.members.user, show: (one) => one.name ?? one.login},
		{text: texts.members.number, show: (one) => String(one.user_number)},
		{text: texts.members.may_arm, show: (one) => said(one.may_arm)},
		{text: texts.members.may_view, spare: true, show: (one) => said(one.may_view)},
		{text: texts.form.actions, show: (one) => mayChange ? removal(texts.form.remove, one.name ?? one.login,
			() => api.remove(`/sites/${site.id}/members/${one.user_id}`), done, fill(texts.members.sure, one)) : null}], members)
		: element("p", {}, texts.members.none),
	mayChange ? free.length ? addForm(site, free, done) : element("p", {class: "hint"}, texts.members.noUser) : null);
}
