// The fields that say where a customer is: of a new one and of one that exists.
import {api} from "/api.js";
import {element} from "/dom.js";
import {input} from "/field.js";
import {texts} from "/texts.js";

export const addressFields = ["address1", "address2", "city", "region", "postal_code", "country"];

// values: by the API's names.
export async function placeFields(values) {
	const zones = await api.items("/timezones");
	return [input("name", texts.place.name, {required: true, value: values.name}),
		...addressFields.map((name) => input(name, texts.place[name], {value: values[name]})),
		input("timezone", texts.place.timezone, {required: true, list: "timezones", value: values.timezone}, texts.place.timezoneHint),
		element("datalist", {id: "timezones"}, ...zones.map((zone) => element("option", {value: zone.name}))),
		input("external_id", texts.place.external_id, {value: values.external_id}, texts.place.externalHint)];
}
