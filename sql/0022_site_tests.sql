-- How often a site is expected to test reaches the daemon.

CREATE OR REPLACE VIEW tocsin.directory_site AS
	SELECT id, dealer_id, coalesce(station_record_id, 0) AS station_id, state, name,
		coalesce(account_number, '') AS account, coalesce(reference_id, '') AS reference_id,
		coalesce(extract(epoch FROM on_test_until) * 1000000, 0)::bigint AS on_test_until_us,
		on_test_forward, arming_method, coalesce(arming_bridge_id, 0) AS arming_bridge_id,
		entry_delay_s, exit_delay_s, repeat_filter_s,
		EXISTS (SELECT FROM tocsin.site_partition p WHERE p.site_id = site.id) AS has_partitions,
		coalesce(test_interval_s, 0) AS test_interval_s
	FROM tocsin.site;
COMMENT ON VIEW tocsin.directory_site IS
	'struct directory_site; state active or inactive; on_test_until_us 0: not on test; arming_bridge_id 0: none chosen; test_interval_s 0: no test is expected';
