// Cameras and alarm inputs of a site's bridges, and the zones that they are.
import {api} from "/api.js";
import {button, element, listing, section} from "/dom.js";
import {input, numberOf, select, valuesOf} from "/field.js";
import {removal, whenSent} from "/page.js";
import {fill, texts} from "/texts.js";

const typeSelect = (types, chosen) => select("zone_type", texts.channels.zone_type,
	types.map((one) => ({value: one.number, text: one.name})), chosen);

function channelForm(channel, types, done) {
	const form = element("form", {id: "channel"}, input("name", texts.channels.name, {required: true, value: channel.name}),
		typeSelect(types, channel.zone_type), element("button", {class: "main"}, texts.form.save));
	return whenSent(form, async () => {
		const {name, zone_type: type} = valuesOf(form);
		await api.patch(`/channels/${channel.id}`, {name, zone_type: numberOf(type)}, `"${channel.version}"`);
		await done(texts.channels.saved);
	});
}

function cameraForm(channel, done) {
	const form = element("form", {id: "camera"}, input("name", texts.cameras.name, {required: true, value: channel.name}),
		input("address", texts.cameras.address, {}, texts.cameras.addressHint),
		input("model", texts.cameras.model), input("mac", texts.cameras.mac, {}, texts.cameras.macHint),
		input("idle_days", texts.cameras.idle, {type: "number", min: 1}, texts.cameras.idleHint),
		element("button", {class: "main"}, texts.cameras.add));
	return whenSent(form, async () => {
		const values = valuesOf(form);
		await api.post(`/bridges/${channel.bridge_id}/cameras`, {...values, idle_days: numberOf(values.idle_days),
			channel_id: channel.id});
		await done(texts.cameras.added);
	});
}

function cameraOf(camera, mayChange, done) {
	return element("div", {class: "row tight"}, [camera.name, camera.model, camera.address].filter(Boolean).join(", "),
		mayChange ? removal(texts.cameras.remove, camera.name, () => api.remove(`/cameras/${camera.id}`, `"${camera.version}"`), done,
			fill(texts.cameras.sure, camera)) : null);
}

function channelTable(channels, {bridges, types, cameras}, mayChange, open, done) {
	const cell = (channel) => {
		const camera = cameras.find((one) => one.channel_id === channel.id);
		return camera ? cameraOf(camera, mayChange, done) : mayChange ? button(texts.cameras.open,
			() => open(fill(texts.cameras.title, channel), cameraForm(channel, done)), {"aria-label": `${texts.cameras.open}: ${channel.name}`}) : null;
	};
	const actions = (channel) => element("div", {class: "row tight"},
		button(texts.form.edit, () => open(channel.name, channelForm(channel, types, done)), {"aria-label": `${texts.form.edit}: ${channel.name}`}),
		removal(texts.form.remove, channel.name, () => api.remove(`/channels/${channel.id}`, `"${channel.version}"`), done,
			fill(texts.channels.sure, channel)));
	return listing(texts.channels.heading, [
		{text: texts.channels.name, show: (channel) => channel.name},
		{text: texts.channels.zones, show: (channel) => channel.zones.join(", ")},
		{text: texts.channels.zone_type, show: (channel) => types.find((one) => one.number === channel.zone_type)?.name},
		{text: texts.channels.bridge, spare: true, show: (channel) => bridges.find((one) => one.id === channel.bridge_id).serial},
		{text: texts.cameras.heading, show: cell},
		{text: texts.form.actions, show: (channel) => mayChange ? actions(channel) : null}], channels);
}

function addForm(bridges, types, done) {
	const form = element("form", {class: "row", id: "add-channel"},
		input("name", texts.channels.name, {required: true}, texts.channels.nameHint),
		input("zones", texts.channels.zones, {}, texts.channels.zonesHint), typeSelect(types, null),
		select("bridge", texts.channels.bridge, bridges.map((one) => ({value: one.id, text: one.serial})), null),
		element("button", {}, texts.channels.add));
	return whenSent(form, async () => {
		const {name, zones, zone_type: type, bridge} = valuesOf(form);
		await api.post(`/bridges/${bridge}/channels`, {name, zone_type: numberOf(type),
			zones: (zones ?? "").split(/[\s,]+/).filter(Boolean)});
		await done(texts.channels.added);
	});
}

// Of all these bridges.
export async function readChannels(bridges) {
	const of = async (name) => (await Promise.all(bridges.map((bridge) => api.items(`/bridges/${bridge.id}/${name}`)))).flat();
	const [types, channels, cameras] = await Promise.all([api.items("/zone-types"), of("channels"), of("cameras")]);
	return {bridges, types, channels, cameras};
}

// known: of readChannels. done: called with a sentence when something has
// changed.
export function channelsSection(known, mayChange, done) {
	if (!known.bridges.length)
		return null;
	const place = element("div");
	const open = (title, form) => {
		place.replaceChildren(element("h4", {}, title), form);
		place.querySelector("input").focus();
	};
	return section(texts.channels.heading, known.channels.length ? channelTable(known.channels, known, mayChange, open, done)
		: element("p", {}, texts.channels.none), place, mayChange ? addForm(known.bridges, known.types, done) : null);
}
