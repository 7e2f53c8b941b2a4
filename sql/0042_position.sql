-- Where a site is reaches the daemon, for stations whose protocol can say it.

CREATE OR REPLACE VIEW tocsin.directory_site AS
	SELECT id, dealer_id, coalesce(station_record_id, 0) AS station_id, state, name,
		coalesce(account_number, '') AS account, coalesce(reference_id, '') AS reference_id,
		coalesce(extract(epoch FROM on_test_until) * 1000000, 0)::bigint AS on_test_until_us,
		on_test_forward, arming_method, coalesce(arming_bridge_id, 0) AS arming_bridge_id,
		entry_delay_s, exit_delay_s, repeat_filter_s,
		EXISTS (SELECT FROM tocsin.site_partition p WHERE p.site_id = site.id) AS has_partitions,
		coalesce(test_interval_s, 0) AS test_interval_s,
		coalesce(ack_level, 'inherit') AS ack_level,
		CASE WHEN EXISTS (SELECT FROM tocsin.bridge b WHERE b.site_id = site.id) THEN 0
			ELSE coalesce(extract(epoch FROM activation_ends) * 1000000, 0) END::bigint AS activation_ends_us,
		round(latitude * 1e7)::integer AS latitude_e7, round(longitude * 1e7)::integer AS longitude_e7
	FROM tocsin.site;
COMMENT ON VIEW tocsin.directory_site IS
	'struct directory_site; state active or inactive; on_test_until_us 0: not on test; arming_bridge_id 0: none chosen; test_interval_s 0: no test is expected; ack_level inherit: the listener''s; activation_ends_us 0: it has a bridge, or may wait for one; latitude_e7, longitude_e7 in 1e-7 degrees, NULL: not known';
