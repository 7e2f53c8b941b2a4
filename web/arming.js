// What arms a site: the method, the partitions, the weekly schedule.
import {api} from "/api.js";
import {button, element, listing, section} from "/dom.js";
import {choice, choices, input, numberOf, select, valuesOf} from "/field.js";
import {attempt, removal, whenSent} from "/page.js";
import {fill, texts} from "/texts.js";

const days = [1, 2, 3, 4, 5, 6, 7];
// Monday 2024-01-01
const dayName = (day) => new Date(2024, 0, day).toLocaleDateString(undefined, {weekday: "long"});

function methodForm(site, version, methods, bridges, done) {
	const form = element("form", {id: "arming"}, choice("arming_method", texts.arming.arming_method,
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

// ---- partitions ---------------------------------------------------------------

function membersForm(partition, channels, done) {
	const form = element("form", {id: "partition-channels"}, choices("channels", texts.partitions.channels,
		channels.map(({id, name}) => ({value: String(id), text: name})), partition.channels.map(String)),
	element("button", {class: "main"}, texts.form.save));
	return whenSent(form, async () => {
		await api.put(`/partitions/${partition.id}/channels`, {channels: new FormData(form).getAll("channels").map(Number)},
			`"${partition.version}"`);
		await done(texts.partitions.saved);
	});
}

function addPartition(site, done) {
	const form = element("form", {class: "row", id: "add-partition"},
		input("number", texts.partitions.number, {type: "number", min: 1, max: 99, required: true}),
		input("name", texts.partitions.name, {required: true}, texts.partitions.nameHint),
		element("button", {}, texts.partitions.add));
	return whenSent(form, async () => {
		const {number, name} = valuesOf(form);
		await api.post(`/sites/${site.id}/partitions`, {number: numberOf(number), name});
		await done(texts.partitions.added);
	});
}

export function partitionsSection(site, partitions, channels, mayChange, done) {
	const place = element("div");
	const named = (ids) => ids.map((id) => channels.find((one) => one.id === id)?.name ?? id).join(", ");
	const open = (partition) => {
		place.replaceChildren(element("h4", {}, partition.name), membersForm(partition, channels, done));
		place.querySelector("input, button").focus();
	};
	return section(texts.partitions.title, partitions.length ? listing(texts.partitions.title, [
		{text: texts.partitions.number, show: (one) => String(one.number)},
		{text: texts.partitions.name, show: (one) => one.name},
		{text: texts.partitions.channels, show: (one) => named(one.channels)},
		{text: texts.form.actions, show: (one) => mayChange ? element("div", {class: "row tight"},
			button(texts.partitions.choose, () => open(one), {"aria-label": `${texts.partitions.choose}: ${one.name}`}),
			removal(texts.form.remove, one.name, () => api.remove(`/partitions/${one.id}`, `"${one.version}"`), done,
				fill(texts.partitions.sure, one))) : null}], partitions)
		: element("p", {}, texts.partitions.none), place, mayChange ? addPartition(site, done) : null);
}

// ---- schedule ------------------------------------------------------------------

function partitionSelect(partitions) {
	return partitions.length ? select("partition_id", texts.schedule.partition, [{value: "", text: texts.schedule.whole},
		...partitions.map(({id, name}) => ({value: id, text: name}))], null) : null;
}

function addWindow(site, partitions, done) {
	const form = element("form", {id: "add-window"},
		choices("weekdays", texts.schedule.weekdays, days.map((day) => ({value: String(day), text: dayName(day)})), []),
		element("div", {class: "row"}, input("from", texts.schedule.from, {type: "time", required: true}),
			input("until", texts.schedule.until, {type: "time", required: true}, texts.schedule.untilHint), partitionSelect(partitions),
			element("button", {}, texts.schedule.add)));
	form.querySelector("fieldset").classList.add("inline");
	return whenSent(form, async () => {
		const {from, until, partition_id: partition} = valuesOf(form);
		await api.post(`/sites/${site.id}/windows`, {from, until, partition_id: numberOf(partition),
			weekdays: new FormData(form).getAll("weekdays").map(Number)});
		await done(texts.schedule.added);
	});
}

function addException(site, partitions, done) {
	const form = element("form", {class: "row", id: "add-exception"},
		input("from", texts.schedule.begins, {type: "datetime-local", required: true}),
		input("until", texts.schedule.ends, {type: "datetime-local", required: true}),
		select("armed", texts.schedule.state, [{value: "true", text: texts.schedule.armed},
			{value: "false", text: texts.schedule.disarmed}], "true"),
		partitionSelect(partitions), input("note", texts.schedule.note, {}, texts.schedule.noteHint),
		element("button", {}, texts.schedule.addException));
	return whenSent(form, async () => {
		const {from, until, armed, note, partition_id: partition} = valuesOf(form);
		await api.post(`/sites/${site.id}/exceptions`, {from, until, armed: armed === "true", note, partition_id: numberOf(partition)});
		await done(texts.schedule.exceptionAdded);
	});
}

function windowTable(windows, partitionName, mayChange, done) {
	return listing(texts.schedule.title, [
		{text: texts.schedule.day, show: (one) => dayName(one.weekday)},
		{text: texts.schedule.from, show: (one) => one.from},
		{text: texts.schedule.until, show: (one) => one.until},
		{text: texts.schedule.partition, spare: true, show: partitionName},
		{text: texts.form.actions, show: (one) => mayChange
			? removal(texts.form.remove, `${dayName(one.weekday)} ${one.from}`, () => api.remove(`/windows/${one.id}`), done) : null}], windows);
}

function exceptionTable(exceptions, partitionName, mayChange, done) {
	const shown = (local) => new Date(local).toLocaleString(undefined, {dateStyle: "medium", timeStyle: "short"});
	return listing(texts.schedule.exceptions, [
		{text: texts.schedule.begins, show: (one) => shown(one.from)},
		{text: texts.schedule.ends, show: (one) => shown(one.until)},
		{text: texts.schedule.state, show: (one) => one.armed ? texts.schedule.armed : texts.schedule.disarmed},
		{text: texts.schedule.partition, spare: true, show: partitionName},
		{text: texts.schedule.note, spare: true, show: (one) => one.note},
		{text: texts.form.actions, show: (one) => mayChange
			? removal(texts.form.remove, shown(one.from), () => api.remove(`/exceptions/${one.id}`), done) : null}], exceptions);
}

function scheduleParts(site, windows, exceptions, partitions, mayChange, done) {
	const partitionName = ({partition_id: id}) => partitions.find((one) => one.id === id)?.name ?? texts.schedule.whole;
	return [element("h4", {}, texts.schedule.title), element("p", {class: "hint"}, fill(texts.schedule.clock, site)),
		windows.length ? windowTable(windows, partitionName, mayChange, done) : element("p", {}, texts.schedule.none),
		mayChange ? addWindow(site, partitions, done) : null,
		element("h4", {}, texts.schedule.exceptions),
		exceptions.length ? exceptionTable(exceptions, partitionName, mayChange, done) : element("p", {}, texts.schedule.noExceptions),
		mayChange ? addException(site, partitions, done) : null];
}

// Reads the schedule itself, where the method has one.
export async function armingSection(site, version, methods, bridges, partitions, mayChange, done) {
	const method = methods.find((one) => one.name === site.arming_method);
	const scheduled = method?.by_schedule ? await Promise.all(["windows", "exceptions"]
		.map((name) => api.items(`/sites/${site.id}/${name}`))) : null;
	return section(texts.site.arming, mayChange ? methodForm(site, version, methods, bridges, done)
		: element("p", {}, element("strong", {}, method?.title), ` ${method?.description}`),
	...scheduled ? scheduleParts(site, ...scheduled, partitions, mayChange, done) : []);
}
