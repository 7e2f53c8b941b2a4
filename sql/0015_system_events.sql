-- Library rows about system events reach the daemon, and a restore follows its
-- alarm: where nothing is said about it, what is said about the alarm holds.
-- R of 4xx is no restore but a closing.

-- at one level a row about the event comes first, then one about its alarm,
-- then one about its code
CREATE OR REPLACE VIEW tocsin.effective_system_event WITH (security_invoker = true) AS
	SELECT o.site_id, o.channel_id, e.name AS system_event, e.description, e.qualifier, e.zone_field,
		coalesce(lc.enabled, ls.enabled, ld.enabled, e.enabled) AS enabled,
		CASE WHEN lc.enabled IS NOT NULL THEN 'channel'
			WHEN ls.enabled IS NOT NULL THEN 'site'
			WHEN ld.enabled IS NOT NULL THEN 'dealer'
			ELSE 'built-in' END AS enabled_level,
		coalesce(lc.code, ls.code, ld.code, e.code) AS code,
		CASE WHEN lc.code IS NOT NULL THEN 'channel'
			WHEN ls.code IS NOT NULL THEN 'site'
			WHEN ld.code IS NOT NULL THEN 'dealer'
			ELSE 'built-in' END AS code_level
	FROM (
		SELECT s.id AS site_id, s.dealer_id, NULL::bigint AS channel_id FROM tocsin.site s
		UNION ALL
		SELECT s.id, s.dealer_id, c.id FROM tocsin.site s
		JOIN tocsin.bridge b ON b.site_id = s.id
		JOIN tocsin.channel c ON c.bridge_id = b.id) o
	CROSS JOIN (
		SELECT e.*, a.name AS alarm FROM tocsin.system_event e
		LEFT JOIN tocsin.system_event a ON a.code = e.code AND a.qualifier = 'E'
			AND e.qualifier = 'R' AND e.code NOT LIKE '4%') e
	LEFT JOIN LATERAL (
		SELECT (array_agg(l.enabled ORDER BY r.rank) FILTER (WHERE l.enabled IS NOT NULL))[1] AS enabled,
			(array_agg(l.code ORDER BY r.rank) FILTER (WHERE l.code IS NOT NULL))[1] AS code
		FROM tocsin.alarm_library l
		CROSS JOIN LATERAL (SELECT CASE l.system_event WHEN e.name THEN 1 ELSE 2 END AS rank) r
		WHERE l.channel_id = o.channel_id AND l.system_event IN (e.name, e.alarm)) lc ON true
	LEFT JOIN LATERAL (
		SELECT (array_agg(l.enabled ORDER BY r.rank) FILTER (WHERE l.enabled IS NOT NULL))[1] AS enabled,
			(array_agg(l.code ORDER BY r.rank) FILTER (WHERE l.code IS NOT NULL))[1] AS code
		FROM tocsin.alarm_library l
		CROSS JOIN LATERAL (SELECT CASE l.system_event WHEN e.name THEN 1 WHEN e.alarm THEN 2 ELSE 3 END AS rank) r
		WHERE l.site_id = o.site_id
		AND (l.system_event IN (e.name, e.alarm) OR l.inbound_code = e.code)) ls ON true
	LEFT JOIN LATERAL (
		SELECT (array_agg(l.enabled ORDER BY r.rank) FILTER (WHERE l.enabled IS NOT NULL))[1] AS enabled,
			(array_agg(l.code ORDER BY r.rank) FILTER (WHERE l.code IS NOT NULL))[1] AS code
		FROM tocsin.alarm_library l
		CROSS JOIN LATERAL (SELECT CASE l.system_event WHEN e.name THEN 1 WHEN e.alarm THEN 2 ELSE 3 END AS rank) r
		WHERE l.dealer_id = o.dealer_id
		AND (l.system_event IN (e.name, e.alarm) OR l.inbound_code = e.code)) ld ON true
	WHERE o.channel_id IS NULL OR e.zone_field = 'camera';
COMMENT ON VIEW tocsin.effective_system_event IS
	'System events with the first level that sets enabled and code: channel (events about a camera), site, dealer, built-in. A restore that a level says nothing about has what it says about the alarm. channel_id NULL: of the site. The same truth table is routing_resolve_system_event in C';

-- each half is of one table, so that the rows of one owner are found by its
-- index; what the event is the daemon knows (src/signal/system_events.c)
CREATE OR REPLACE VIEW tocsin.directory_library AS
	SELECT 'dealer' AS owner, dealer_id AS owner_id, coalesce(zone_type, 0) AS zone_type,
		coalesce(inbound_code, '') AS inbound_code, enabled, coalesce(code, '') AS code,
		coalesce(system_event, '') AS system_event
	FROM tocsin.alarm_library WHERE dealer_id IS NOT NULL
	UNION ALL
	SELECT 'site', site_id, coalesce(zone_type, 0), coalesce(inbound_code, ''), enabled,
		coalesce(code, ''), coalesce(system_event, '')
	FROM tocsin.alarm_library WHERE site_id IS NOT NULL;
COMMENT ON VIEW tocsin.directory_library IS
	'struct directory_library_row with its owner (dealer or site); zone_type 0: about inbound_code or system_event; enabled NULL and code '''' inherit. Rows of a channel are not among them: no event of our own is about a camera yet';

CREATE VIEW tocsin.dealer_library WITH (security_invoker = true) AS
	SELECT d.id AS dealer_id, b.kind, b.subject, b.title,
		coalesce(l.enabled, b.enabled) AS enabled,
		CASE WHEN l.enabled IS NULL THEN 'built-in' ELSE 'dealer' END AS enabled_level,
		coalesce(l.code, b.code) AS code,
		CASE WHEN l.code IS NULL THEN 'built-in' ELSE 'dealer' END AS code_level
	FROM tocsin.dealer d
	CROSS JOIN LATERAL (
		SELECT 'zone_type' AS kind, number::text AS subject, name AS title, enabled, code, NULL AS alarm
		FROM tocsin.zone_type
		UNION ALL
		SELECT 'system_event', e.name, e.description, e.enabled, e.code, a.name
		FROM tocsin.system_event e
		LEFT JOIN tocsin.system_event a ON a.code = e.code AND a.qualifier = 'E'
			AND e.qualifier = 'R' AND e.code NOT LIKE '4%'
		UNION ALL
		SELECT 'inbound_code', inbound_code, 'Inbound ' || inbound_code, true, inbound_code, NULL
		FROM tocsin.alarm_library WHERE dealer_id = d.id AND inbound_code IS NOT NULL) b
	LEFT JOIN LATERAL (
		SELECT (array_agg(r.enabled ORDER BY k.rank) FILTER (WHERE r.enabled IS NOT NULL))[1] AS enabled,
			(array_agg(r.code ORDER BY k.rank) FILTER (WHERE r.code IS NOT NULL))[1] AS code
		FROM tocsin.alarm_library r
		CROSS JOIN LATERAL (SELECT CASE r.system_event WHEN b.subject THEN 1 WHEN b.alarm THEN 2 ELSE 3 END AS rank) k
		WHERE r.dealer_id = d.id AND CASE b.kind
			WHEN 'zone_type' THEN r.zone_type::text = b.subject
			WHEN 'system_event' THEN r.system_event IN (b.subject, b.alarm) OR r.inbound_code = b.code
			ELSE r.inbound_code = b.subject END) l ON true;
COMMENT ON VIEW tocsin.dealer_library IS
	'What a dealer''s sites inherit, with the level of each value: zone types, system events, and the inbound codes that the dealer changes';
GRANT SELECT ON tocsin.dealer_library TO tocsin_operator, tocsin_portal;
