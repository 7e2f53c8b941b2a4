// Whom the monitoring station calls about a site.
import {api} from "/api.js";
import {button, element, listing, section} from "/dom.js";
import {input, numberOf, valuesOf} from "/field.js";
import {attempt, whenSent} from "/page.js";
import {fill, texts} from "/texts.js";

const shown = ["name", "title", "phone", "email", "slot"];

function removeButton(contact, done) {
	return button(texts.form.remove, () => attempt(async () => {
		await api.remove(`/contacts/${contact.id}`, `"${contact.version}"`);
		await done("");
	}), {"aria-label": fill(texts.contacts.removeOf, contact)});
}

function contactTable(contacts, mayChange, done) {
	return listing(texts.contacts.heading, [...shown.map((name) => ({text: texts.contacts[name], show: (contact) => contact[name]})),
		{text: texts.form.actions, show: (contact) => mayChange ? removeButton(contact, done) : null}], contacts);
}

function addForm(siteId, done) {
	const form = element("form", {class: "row", id: "add-contact"}, input("name", texts.contacts.name, {required: true}),
		input("title", texts.contacts.title, {}, texts.contacts.titleHint), input("phone", texts.contacts.phone, {type: "tel"}),
		input("email", texts.contacts.email, {type: "email"}),
		input("slot", texts.contacts.slot, {type: "number", min: 1}, texts.contacts.slotHint),
		element("button", {}, texts.contacts.add));
	return whenSent(form, async () => {
		const values = valuesOf(form);
		await api.post(`/sites/${siteId}/contacts`, {...values, slot: numberOf(values.slot)});
		await done(texts.contacts.added);
	});
}

// done: called with a sentence when something has changed.
export function contactsSection(site, contacts, mayChange, done) {
	return section(texts.contacts.heading,
		contacts.length ? contactTable(contacts, mayChange, done) : element("p", {}, texts.contacts.none),
		mayChange ? addForm(site.id, done) : null);
}
