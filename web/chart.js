// Lines over time as inline SVG; what a screen reader says of them is their
// last values.
import {element} from "/dom.js";
import {fill, texts} from "/texts.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600, HEIGHT = 150, LEFT = 52, BOTTOM = 20, TOP = 8;

function shape(name, attributes, text) {
	const made = document.createElementNS(SVG, name);
	for (const [attribute, value] of Object.entries(attributes))
		made.setAttribute(attribute, value);
	if (text !== undefined)
		made.textContent = text;
	return made;
}

// The next round number: 1, 2 or 5 and zeros.
function above(value) {
	const unit = 10 ** Math.floor(Math.log10(value || 1));
	return [1, 2, 5, 10].map((step) => step * unit).find((limit) => limit >= value);
}

export const short = (value) => value === null ? "–" : Number(value.toPrecision(3)).toLocaleString();

function gap(points, next) {
	return points.length && next !== null ? "L" : "M";
}

function path(values, x, y) {
	let drawn = "", before = null;
	values.forEach((value, at) => {
		if (value !== null)
			drawn += `${gap(drawn, before)}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
		before = value;
	});
	return drawn;
}

// lines: of name and key of a sample.
export function chart(title, unit, samples, lines) {
	const most = above(Math.max(0.001, ...samples.flatMap((one) => lines.map(({key}) => one[key] ?? 0))));
	const x = (at) => LEFT + (WIDTH - LEFT) * at / Math.max(1, samples.length - 1);
	const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / most);
	const drawing = shape("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true"});
	for (const value of [0, most / 2, most])
		drawing.append(shape("line", {class: "grid", x1: LEFT, x2: WIDTH, y1: y(value), y2: y(value)}),
			shape("text", {x: LEFT - 6, y: y(value) + 4, "text-anchor": "end"}, short(value)));
	if (samples.length > 1) {
		const clock = (sample) => new Date(sample.time).toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"});
		drawing.append(shape("text", {x: LEFT, y: HEIGHT - 4}, clock(samples[0])),
			shape("text", {x: WIDTH, y: HEIGHT - 4, "text-anchor": "end"}, clock(samples.at(-1))));
	}
	lines.forEach(({key}, number) => drawing.append(
		shape("path", {class: `line line-${number}`, d: path(samples.map((one) => one[key]), x, y)})));
	const now = lines.map(({name, key}, number) => element("span", {class: `key key-${number}`},
		fill(texts.operations.now, {name, value: short(samples.at(-1)?.[key] ?? null), unit})));
	return element("figure", {class: "chart"}, element("figcaption", {}, element("strong", {}, title), ...now), drawing);
}
