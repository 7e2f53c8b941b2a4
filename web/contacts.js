// Whom the monitoring station calls about a site.
import {api} from "/api.js";
import {button, element, listing, section} from "/dom.js";
import {input, numberOf, valuesOf} from "/field.js";
import {removal, whenSent} from "/page.js";
import {fill, texts} from "/texts.js";

const shown = ["name", "title", "phone", "email", "slot"];

// contact: the one that is changed, null for a new one.
function contactForm(siteId, contact, done) {
	const form = element("form", {class: "row", id: contact ? "contact" : "add-contact"},
		input("name", texts.contacts.name, {required: true, value: contact?.name}),
		input("title", texts.contacts.title, {value: contact?.title}, texts.contacts.titleHint),
		input("phone", texts.contacts.phone, {type: "tel", value: contact?.phone}),
		input("email", texts.contacts.email, {type: "email", value: contact?.email}),
		input("slot", texts.contacts.slot, {type: "number", min: 1, value: contact?.slot}, texts.contacts.slotHint),
		element("button", {}, contact ? texts.form.save : texts.contacts.add));
	return whenSent(form, async () => {
		const values = valuesOf(form);
		const sent = {...values, title: values.title ?? "", slot: numberOf(values.slot)};
		await (contact ? api.patch(`/contacts/${contact.id}`, sent, `"${contact.version}"`) : api.post(`/sites/${siteId}/contacts`, sent));
		await done(contact ? texts.contacts.saved : texts.contacts.added);
	});
}

// done: called with a sentence when something has changed.
export function contactsSection(site, contacts, mayChange, done) {
	const place = element("div");
	const actions = (contact) => element("div", {class: "row tight"},
		button(texts.form.edit, () => {
			place.replaceChildren(element("h4", {}, contact.name), contactForm(site.id, contact, done));
			place.querySelector("input").focus();
		}, {"aria-label": `${texts.form.edit}: ${contact.name}`}),
		removal(texts.form.remove, contact.name, () => api.remove(`/contacts/${contact.id}`, `"${contact.version}"`), done,
			fill(texts.contacts.sure, contact)));
	return section(texts.contacts.heading, contacts.length ? listing(texts.contacts.heading,
		[...shown.map((name) => ({text: texts.contacts[name], show: (contact) => String(contact[name] ?? "")})),
			{text: texts.form.actions, show: (contact) => mayChange ? actions(contact) : null}], contacts)
		: element("p", {}, texts.contacts.none), place, mayChange ? contactForm(site.id, null, done) : null);
}
