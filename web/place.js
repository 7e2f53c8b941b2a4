// The fields that say where a customer is: of a new one and of one that exists.
import {api} from "/api.js";
import {element} from "/dom.js";
import {input} from "/field.js";
import {addressSuggestions} from "/suggest.js";
import {texts} from "/texts.js";

export const addressFields = ["address1", "address2", "city", "region", "postal_code", "country"];

// What was chosen goes into the fields; where it lies goes along until the
// address is changed by hand.
function position(values) {
	return ["latitude", "longitude"].map((name) => element("input", {type: "hidden", name, value: values[name]}));
}

function fillIn(form, place) {
	for (const name of addressFields)
		form.elements[name].value = place[name] ?? "";
	for (const name of ["latitude", "longitude"])
		form.elements[name].value = place[name] ?? "";
	if (place.timezone)
		form.elements.timezone.value = place.timezone;
	form.elements.address1.focus();
}

// values: by the API's names.
export async function placeFields(values) {
	const zones = await api.items("/timezones");
	const hidden = position(values);
	const address = addressFields.map((name) => input(name, texts.place[name], {value: values[name],
		oninput: () => hidden.forEach((one) => { one.value = ""; })}));
	const suggestions = addressSuggestions((place) => fillIn(hidden[0].form, place));
	return [input("name", texts.place.name, {required: true, value: values.name}), suggestions, ...address, ...hidden,
		input("timezone", texts.place.timezone, {required: true, list: "timezones", value: values.timezone}, texts.place.timezoneHint),
		element("datalist", {id: "timezones"}, ...zones.map((zone) => element("option", {value: zone.name}))),
		input("external_id", texts.place.external_id, {value: values.external_id}, texts.place.externalHint)];
}
