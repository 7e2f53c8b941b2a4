// Cameras and alarm inputs of a site's bridges, and the zones that they are.
import {api} from "/api.js";
import {button, element, listing, section} from "/dom.js";
import {input, numberOf, select, valuesOf} from "/field.js";
import {attempt, whenSent} from "/page.js";
import {fill, texts} from "/texts.js";

function removeButton(channel, done) {
	return button(texts.form.remove, () => attempt(async () => {
		if (!confirm(fill(texts.channels.sure, channel)))
			return;
		await api.remove(`/channels/${channel.id}`, `"${channel.version}"`);
		await done("");
	}), {"aria-label": fill(texts.channels.removeOf, channel)});
}

function channelTable(channels, bridges, types, mayChange, done) {
	return listing(texts.channels.heading, [
		{text: texts.channels.name, show: (channel) => channel.name},
		{text: texts.channels.zones, show: (channel) => channel.zones.join(", ")},
		{text: texts.channels.zone_type, show: (channel) => types.find((one) => one.number === channel.zone_type)?.name},
		{text: texts.channels.bridge, show: (channel) => bridges.find((one) => one.id === channel.bridge_id).serial},
		{text: texts.form.actions, show: (channel) => mayChange ? removeButton(channel, done) : null}], channels);
}

function addForm(bridges, types, done) {
	const form = element("form", {class: "row", id: "add-channel"},
		input("name", texts.channels.name, {required: true}, texts.channels.nameHint),
		input("zones", texts.channels.zones, {}, texts.channels.zonesHint),
		select("zone_type", texts.channels.zone_type, types.map((one) => ({value: one.number, text: one.name})), null),
		select("bridge", texts.channels.bridge, bridges.map((one) => ({value: one.id, text: one.serial})), null),
		element("button", {}, texts.channels.add));
	return whenSent(form, async () => {
		const {name, zones, zone_type: type, bridge} = valuesOf(form);
		await api.post(`/bridges/${bridge}/channels`, {name, zone_type: numberOf(type),
			zones: (zones ?? "").split(/[\s,]+/).filter(Boolean)});
		await done(texts.channels.added);
	});
}

// Reads the channels and zone types itself. done: called with a sentence when
// something has changed.
export async function channelsSection(bridges, mayChange, done) {
	if (!bridges.length)
		return null;
	const [types, ...ofBridges] = await Promise.all([api.items("/zone-types"),
		...bridges.map((bridge) => api.items(`/bridges/${bridge.id}/channels`))]);
	const channels = ofBridges.flat();
	return section(texts.channels.heading, channels.length ? channelTable(channels, bridges, types, mayChange, done)
		: element("p", {}, texts.channels.none), mayChange ? addForm(bridges, types, done) : null);
}
