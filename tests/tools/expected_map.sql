-- What must become of each zone's alarm, for compare_ledgers.py: the sender's
-- account, the account at the station, zone, code ("-": suppressed), station.
SELECT b.transport_account, e.account, z.zone_number,
	CASE WHEN c.enabled THEN c.code ELSE '-' END, r.name
FROM tocsin.bridge b
JOIN tocsin.effective_account e ON e.site_id = b.site_id AND e.destination_id IS NULL
JOIN tocsin.receiver r ON r.id = e.receiver_id
JOIN tocsin.channel h ON h.bridge_id = b.id
JOIN tocsin.channel_zone z ON z.channel_id = h.id
JOIN tocsin.effective_alarm_code c ON c.channel_id = h.id
