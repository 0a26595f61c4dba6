CREATE TABLE account ( participant_id VARCHAR(36) NOT NULL, login VARCHAR(64) NOT NULL, password_hash VARCHAR(200) NOT NULL, must_change BOOLEAN NOT NULL, disabled BOOLEAN NOT NULL, changed_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_account PRIMARY KEY (participant_id), CONSTRAINT uq_account_login UNIQUE (login) );

CREATE TABLE appraisal ( line_id VARCHAR(36) NOT NULL, round INTEGER NOT NULL, roster_id VARCHAR(36) NOT NULL, passed BOOLEAN NOT NULL, present_n INTEGER NOT NULL, recused TEXT NOT NULL, agree INTEGER NOT NULL, against INTEGER NOT NULL, abstain INTEGER NOT NULL, level VARCHAR(10), main_type VARCHAR(10), planned_fen BIGINT NOT NULL, reason TEXT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, actor_id VARCHAR(36) NOT NULL, CONSTRAINT pk_appraisal PRIMARY KEY (line_id, round) );

CREATE INDEX ix_appraisal_roster_id ON appraisal (roster_id);

CREATE TABLE archive_gap ( campaign_id VARCHAR(36) NOT NULL, unit VARCHAR(32) NOT NULL, document VARCHAR(10) NOT NULL, reason TEXT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, actor_id VARCHAR(36) NOT NULL, CONSTRAINT pk_archive_gap PRIMARY KEY (campaign_id, unit, document) );

CREATE TABLE attachment ( id VARCHAR(36) NOT NULL, shard VARCHAR(6) NOT NULL, instance_id VARCHAR(36), task_id VARCHAR(36), name VARCHAR(255) NOT NULL, media_type VARCHAR(100) NOT NULL, size BIGINT NOT NULL, sha256 VARCHAR(64) NOT NULL, taken_at TIMESTAMP WITH TIME ZONE, latitude FLOAT, longitude FLOAT, uploaded_at TIMESTAMP WITH TIME ZONE NOT NULL, uploaded_by VARCHAR(36), deleted_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_attachment PRIMARY KEY (id) );

CREATE INDEX ix_attachment_instance_id ON attachment (instance_id);

CREATE INDEX ix_attachment_sha256 ON attachment (sha256);

CREATE INDEX ix_attachment_task_id ON attachment (task_id);

CREATE TABLE calendar_year ( year INTEGER NOT NULL, "table" TEXT NOT NULL, imported_at TIMESTAMP WITH TIME ZONE NOT NULL, imported_by VARCHAR(36) NOT NULL, CONSTRAINT pk_calendar_year PRIMARY KEY (year) );

CREATE TABLE disclosure_read ( id VARCHAR(36) NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, actor_id VARCHAR(36) NOT NULL, subject VARCHAR(80) NOT NULL, purpose VARCHAR(100) NOT NULL, CONSTRAINT pk_disclosure_read PRIMARY KEY (id) );

CREATE INDEX ix_disclosure_read_actor_id ON disclosure_read (actor_id);

CREATE INDEX ix_disclosure_read_subject ON disclosure_read (subject);

CREATE TABLE division ( code VARCHAR(32) NOT NULL, name VARCHAR(60) NOT NULL, parent VARCHAR(32), profile_key VARCHAR(40), CONSTRAINT pk_division PRIMARY KEY (code) );

CREATE INDEX ix_division_parent ON division (parent);

CREATE TABLE event_subscription ( id VARCHAR(36) NOT NULL, shard VARCHAR(6) NOT NULL, instance_id VARCHAR(36) NOT NULL, element INTEGER NOT NULL, node_id VARCHAR(200) NOT NULL, process_key VARCHAR(100) NOT NULL, region VARCHAR(32) NOT NULL, kind VARCHAR(10) NOT NULL, name VARCHAR(200) NOT NULL, key VARCHAR(200), created_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_event_subscription PRIMARY KEY (id) );

CREATE INDEX ix_event_subscription_instance_id_event_subscription_element ON event_subscription (instance_id, element);

CREATE INDEX ix_event_subscription_kind_event_subscription_name_even_3289 ON event_subscription (kind, name, key);

CREATE TABLE fund_entry ( id VARCHAR(36) NOT NULL, campaign_id VARCHAR(36) NOT NULL, unit VARCHAR(32) NOT NULL, kind VARCHAR(10) NOT NULL, amount_fen BIGINT NOT NULL, line_id VARCHAR(36), document_no VARCHAR(60) NOT NULL, source VARCHAR(20) NOT NULL, note VARCHAR(200) NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, actor_id VARCHAR(36) NOT NULL, CONSTRAINT pk_fund_entry PRIMARY KEY (id) );

CREATE INDEX ix_fund_entry_campaign_id ON fund_entry (campaign_id);

CREATE INDEX ix_fund_entry_line_id ON fund_entry (line_id);

CREATE INDEX ix_fund_entry_unit ON fund_entry (unit);

CREATE TABLE fund_node ( campaign_id VARCHAR(36) NOT NULL, unit VARCHAR(32) NOT NULL, allotted_fen BIGINT NOT NULL, passed_on_fen BIGINT NOT NULL, approved_fen BIGINT NOT NULL, paid_fen BIGINT NOT NULL, CONSTRAINT pk_fund_node PRIMARY KEY (campaign_id, unit) );

CREATE TABLE fund_plan_row ( id VARCHAR(36) NOT NULL, campaign_id VARCHAR(36) NOT NULL, unit VARCHAR(32) NOT NULL, amount_fen BIGINT NOT NULL, CONSTRAINT pk_fund_plan_row PRIMARY KEY (id), CONSTRAINT uq_fund_plan_row_campaign_id_unit UNIQUE (campaign_id, unit) );

CREATE TABLE hazard ( id VARCHAR(36) NOT NULL, number VARCHAR(40) NOT NULL, round_id VARCHAR(36), institution VARCHAR(32) NOT NULL, city VARCHAR(32) NOT NULL, item VARCHAR(30), instance_id VARCHAR(36), state VARCHAR(20) NOT NULL, source VARCHAR(20) NOT NULL, found_on VARCHAR(10) NOT NULL, found_by VARCHAR(36) NOT NULL, issuers TEXT NOT NULL, place VARCHAR(100) NOT NULL, category VARCHAR(20) NOT NULL, description TEXT NOT NULL, grade VARCHAR(20), criterion VARCHAR(30), before TEXT NOT NULL, suspension VARCHAR(20) NOT NULL, interim TEXT NOT NULL, goal TEXT NOT NULL, measure TEXT NOT NULL, owner_name VARCHAR(50) NOT NULL, fund_fen BIGINT, plan TEXT NOT NULL, due_on VARCHAR(10), deferred_to VARCHAR(10), current_due VARCHAR(10), rectifiers TEXT NOT NULL, rectified_on VARCHAR(10), rectified_note TEXT NOT NULL, self_verdict TEXT NOT NULL, cost_fen BIGINT, after TEXT NOT NULL, failures INTEGER NOT NULL, supervised_at TIMESTAMP WITH TIME ZONE, supervision TEXT NOT NULL, major_case VARCHAR(36), listed_number VARCHAR(60), listed_leader VARCHAR(50) NOT NULL, listed_due VARCHAR(10), closed_on VARCHAR(10), closed_by VARCHAR(36), withdrawn_reason TEXT NOT NULL, remark TEXT NOT NULL, CONSTRAINT pk_hazard PRIMARY KEY (id), CONSTRAINT uq_hazard_number UNIQUE (number) );

CREATE INDEX ix_hazard_city_state_id ON hazard (city, state, id);

CREATE INDEX ix_hazard_institution_id ON hazard (institution, id);

CREATE INDEX ix_hazard_round_id_id ON hazard (round_id, id);

CREATE TABLE hazard_answer ( round_id VARCHAR(36) NOT NULL, institution VARCHAR(32) NOT NULL, item VARCHAR(30) NOT NULL, result VARCHAR(20) NOT NULL, note TEXT NOT NULL, photos TEXT NOT NULL, by VARCHAR(36) NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_hazard_answer PRIMARY KEY (round_id, institution, item) );

CREATE TABLE hazard_checklist ( id VARCHAR(60) NOT NULL, title VARCHAR(100) NOT NULL, basis TEXT NOT NULL, published_on VARCHAR(10) NOT NULL, published_by VARCHAR(36) NOT NULL, items TEXT NOT NULL, criteria TEXT NOT NULL, CONSTRAINT pk_hazard_checklist PRIMARY KEY (id) );

CREATE TABLE hazard_deferral ( id VARCHAR(36) NOT NULL, hazard_id VARCHAR(36) NOT NULL, reason TEXT NOT NULL, interim TEXT NOT NULL, old_due VARCHAR(10) NOT NULL, new_due VARCHAR(10) NOT NULL, applied_by VARCHAR(36) NOT NULL, applied_at TIMESTAMP WITH TIME ZONE NOT NULL, opinion TEXT NOT NULL, supported BOOLEAN, opinion_by VARCHAR(36), opinion_at TIMESTAMP WITH TIME ZONE, granted BOOLEAN, decision TEXT NOT NULL, decided_by VARCHAR(36), decided_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_hazard_deferral PRIMARY KEY (id), CONSTRAINT uq_hazard_deferral_hazard_id UNIQUE (hazard_id) );

CREATE TABLE hazard_downgrade ( id VARCHAR(36) NOT NULL, hazard_id VARCHAR(36) NOT NULL, reason TEXT NOT NULL, evidence TEXT NOT NULL, first_by VARCHAR(36) NOT NULL, first_at TIMESTAMP WITH TIME ZONE NOT NULL, second_by VARCHAR(36), second_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_hazard_downgrade PRIMARY KEY (id) );

CREATE INDEX ix_hazard_downgrade_hazard_id ON hazard_downgrade (hazard_id);

CREATE TABLE hazard_entry ( id VARCHAR(36) NOT NULL, hazard_id VARCHAR(36) NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, by VARCHAR(36) NOT NULL, by_name VARCHAR(50) NOT NULL, what VARCHAR(30) NOT NULL, state VARCHAR(20) NOT NULL, note TEXT NOT NULL, CONSTRAINT pk_hazard_entry PRIMARY KEY (id) );

CREATE INDEX ix_hazard_entry_hazard_id ON hazard_entry (hazard_id);

CREATE TABLE hazard_institution ( code VARCHAR(32) NOT NULL, name VARCHAR(100) NOT NULL, kind VARCHAR(20) NOT NULL, buddy VARCHAR(50) NOT NULL, opened_on VARCHAR(10) NOT NULL, closed_on VARCHAR(10), hazard_count INTEGER NOT NULL, CONSTRAINT pk_hazard_institution PRIMARY KEY (code) );

CREATE TABLE hazard_recheck ( id VARCHAR(36) NOT NULL, hazard_id VARCHAR(36) NOT NULL, attempt INTEGER NOT NULL, passed BOOLEAN NOT NULL, note TEXT NOT NULL, photos TEXT NOT NULL, new_due VARCHAR(10), first_by VARCHAR(36) NOT NULL, first_name VARCHAR(50) NOT NULL, first_at TIMESTAMP WITH TIME ZONE NOT NULL, second_by VARCHAR(36), second_name VARCHAR(50) NOT NULL, second_at TIMESTAMP WITH TIME ZONE, void BOOLEAN NOT NULL, CONSTRAINT pk_hazard_recheck PRIMARY KEY (id) );

CREATE INDEX ix_hazard_recheck_hazard_id ON hazard_recheck (hazard_id);

CREATE TABLE hazard_round ( id VARCHAR(36) NOT NULL, title VARCHAR(200) NOT NULL, city VARCHAR(32) NOT NULL, checklist_id VARCHAR(60) NOT NULL, notice_on VARCHAR(10) NOT NULL, ledger_due VARCHAR(10) NOT NULL, inspect_due VARCHAR(10) NOT NULL, report_on VARCHAR(10) NOT NULL, opened_by VARCHAR(36) NOT NULL, opened_at TIMESTAMP WITH TIME ZONE NOT NULL, instance_id VARCHAR(36), summary TEXT NOT NULL, figures TEXT, closed_by VARCHAR(36), closed_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_hazard_round PRIMARY KEY (id) );

CREATE INDEX ix_hazard_round_city ON hazard_round (city);

CREATE TABLE hazard_round_unit ( round_id VARCHAR(36) NOT NULL, institution VARCHAR(32) NOT NULL, instance_id VARCHAR(36), checked_by VARCHAR(36), checked_at TIMESTAMP WITH TIME ZONE, graded_by VARCHAR(36), graded_at TIMESTAMP WITH TIME ZONE, ledger_by VARCHAR(36), ledger_at TIMESTAMP WITH TIME ZONE, ledger_signature VARCHAR(50) NOT NULL, inspected_by VARCHAR(36), inspected_on VARCHAR(10), inspection TEXT, cosigned_by VARCHAR(36), cosigned_at TIMESTAMP WITH TIME ZONE, notice_number VARCHAR(60), notice_at TIMESTAMP WITH TIME ZONE, received_by VARCHAR(36), received_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_hazard_round_unit PRIMARY KEY (round_id, institution) );

CREATE TABLE history_fact ( instance_id VARCHAR(36) NOT NULL, sequence INTEGER NOT NULL, shard VARCHAR(6) NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, kind VARCHAR(64) NOT NULL, activity_id VARCHAR(200), task_id VARCHAR(36), actor_id VARCHAR(36), actor_name VARCHAR(100), detail TEXT NOT NULL, hash BYTEA NOT NULL, CONSTRAINT pk_history_fact PRIMARY KEY (instance_id, sequence) );

CREATE TABLE human_task ( id VARCHAR(36) NOT NULL, shard VARCHAR(6) NOT NULL, instance_id VARCHAR(36) NOT NULL, root_id VARCHAR(36) NOT NULL, definition_id VARCHAR(36) NOT NULL, process_key VARCHAR(100) NOT NULL, element INTEGER NOT NULL, activity_id VARCHAR(200) NOT NULL, name VARCHAR(200) NOT NULL, subject VARCHAR(500) NOT NULL, item VARCHAR(200), role VARCHAR(64), unit VARCHAR(32), region VARCHAR(32) NOT NULL, owner VARCHAR(36), status VARCHAR(12) NOT NULL, suspended_from VARCHAR(12), is_open SMALLINT NOT NULL, no_holder BOOLEAN NOT NULL, priority INTEGER NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL, claimed_at TIMESTAMP WITH TIME ZONE, due_at TIMESTAMP WITH TIME ZONE, due_sort TIMESTAMP WITH TIME ZONE NOT NULL, due_note TEXT NOT NULL, deadline VARCHAR(100), urgency VARCHAR(20), completed_at TIMESTAMP WITH TIME ZONE, completed_by VARCHAR(36), outcome VARCHAR(100), completion_key VARCHAR(100), version INTEGER NOT NULL, CONSTRAINT pk_human_task PRIMARY KEY (id) );

CREATE INDEX ix_human_task_done ON human_task (completed_by, completed_at, id) WHERE completed_by IS NOT NULL;

CREATE INDEX ix_human_task_due ON human_task (due_sort, id) WHERE is_open = 1;

CREATE INDEX ix_human_task_instance_id_human_task_activity_id ON human_task (instance_id, activity_id);

CREATE INDEX ix_human_task_owner ON human_task (owner, due_sort, id) WHERE is_open = 1 AND owner IS NOT NULL;

CREATE INDEX ix_human_task_seat ON human_task (role, unit, due_sort, id) WHERE is_open = 1;

CREATE TABLE identity_claim ( campaign_id VARCHAR(36) NOT NULL, id_hash VARCHAR(64) NOT NULL, line_id VARCHAR(36) NOT NULL, CONSTRAINT pk_identity_claim PRIMARY KEY (campaign_id, id_hash) );

CREATE INDEX ix_identity_claim_line_id ON identity_claim (line_id);

CREATE TABLE incident ( id VARCHAR(36) NOT NULL, shard VARCHAR(6) NOT NULL, instance_id VARCHAR(36), region VARCHAR(32), element INTEGER, activity_id VARCHAR(200), kind VARCHAR(40) NOT NULL, message TEXT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, attempts SMALLINT NOT NULL, job_id VARCHAR(36), timer_id VARCHAR(36), resolved_at TIMESTAMP WITH TIME ZONE, resolved_by VARCHAR(36), CONSTRAINT pk_incident PRIMARY KEY (id) );

CREATE INDEX ix_incident_instance_id ON incident (instance_id);

CREATE INDEX ix_incident_resolved_at_incident_id ON incident (resolved_at, id);

CREATE TABLE issued_paper ( id VARCHAR(36) NOT NULL, code VARCHAR(19) NOT NULL, kind VARCHAR(20) NOT NULL, title VARCHAR(200) NOT NULL, subject VARCHAR(80) NOT NULL, unit VARCHAR(32) NOT NULL, sha256 VARCHAR(64) NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, actor_id VARCHAR(36) NOT NULL, CONSTRAINT pk_issued_paper PRIMARY KEY (id) );

CREATE INDEX ix_issued_paper_code ON issued_paper (code, at);

CREATE INDEX ix_issued_paper_subject ON issued_paper (subject);

CREATE TABLE job ( id VARCHAR(36) NOT NULL, shard VARCHAR(6) NOT NULL, kind VARCHAR(20) NOT NULL, instance_id VARCHAR(36), element INTEGER, key VARCHAR(200), arguments BYTEA NOT NULL, status VARCHAR(8) NOT NULL, run_at TIMESTAMP WITH TIME ZONE NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL, attempts SMALLINT NOT NULL, error TEXT, CONSTRAINT pk_job PRIMARY KEY (id) );

CREATE INDEX ix_job_instance_id_job_element ON job (instance_id, element);

CREATE UNIQUE INDEX ix_job_key ON job (key);

CREATE INDEX ix_job_queued ON job (run_at, id) WHERE status = 'queued';

CREATE TABLE kin_link ( participant_id VARCHAR(36) NOT NULL, id_hash VARCHAR(64) NOT NULL, relation VARCHAR(20) NOT NULL, registered_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_kin_link PRIMARY KEY (participant_id, id_hash) );

CREATE TABLE line_review ( id VARCHAR(36) NOT NULL, line_id VARCHAR(36) NOT NULL, tier VARCHAR(10) NOT NULL, version INTEGER NOT NULL, opinion VARCHAR(10) NOT NULL, reason TEXT NOT NULL, spot VARCHAR(10) NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, actor_id VARCHAR(36) NOT NULL, CONSTRAINT pk_line_review PRIMARY KEY (id) );

CREATE INDEX ix_line_review_line_id ON line_review (line_id);

CREATE TABLE login_failure ( key VARCHAR(64) NOT NULL, failures INTEGER NOT NULL, last_at TIMESTAMP WITH TIME ZONE NOT NULL, locked_until TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_login_failure PRIMARY KEY (key) );

CREATE TABLE message ( id VARCHAR(36) NOT NULL, source VARCHAR(36) NOT NULL, participant_id VARCHAR(36) NOT NULL, key VARCHAR(100) NOT NULL, urgency VARCHAR(8) NOT NULL, subject VARCHAR(200) NOT NULL, body TEXT NOT NULL, reason VARCHAR(120) NOT NULL, task_id VARCHAR(36), instance_id VARCHAR(36), created_at TIMESTAMP WITH TIME ZONE NOT NULL, shown BOOLEAN NOT NULL, read_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_message PRIMARY KEY (id) );

CREATE INDEX ix_message_digest ON message (urgency, created_at);

CREATE INDEX ix_message_participant ON message (participant_id, id);

CREATE INDEX ix_message_unread ON message (participant_id) WHERE read_at IS NULL AND shown;

CREATE UNIQUE INDEX uq_message_source_participant ON message (source, participant_id);

CREATE TABLE notice ( id VARCHAR(36) NOT NULL, campaign_id VARCHAR(36) NOT NULL, tier VARCHAR(10) NOT NULL, town VARCHAR(32) NOT NULL, village VARCHAR(32), title VARCHAR(120) NOT NULL, days VARCHAR(20) NOT NULL, status VARCHAR(12) NOT NULL, hotline VARCHAR(40) NOT NULL, prepared_at TIMESTAMP WITH TIME ZONE NOT NULL, posted_at TIMESTAMP WITH TIME ZONE, ends_at TIMESTAMP WITH TIME ZONE, take_down_at TIMESTAMP WITH TIME ZONE, postings TEXT NOT NULL, closings TEXT NOT NULL, concluded_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_notice PRIMARY KEY (id) );

CREATE INDEX ix_notice_campaign_id ON notice (campaign_id);

CREATE INDEX ix_notice_public ON notice (status, posted_at);

CREATE INDEX ix_notice_unit_status ON notice (town, status);

CREATE TABLE notice_line ( notice_id VARCHAR(36) NOT NULL, line_id VARCHAR(36) NOT NULL, seq INTEGER NOT NULL, version INTEGER NOT NULL, status VARCHAR(10) NOT NULL, CONSTRAINT pk_notice_line PRIMARY KEY (notice_id, line_id) );

CREATE TABLE objection ( id VARCHAR(36) NOT NULL, notice_id VARCHAR(36) NOT NULL, line_id VARCHAR(36), kind VARCHAR(10) NOT NULL, text TEXT NOT NULL, objector_sealed BYTEA, status VARCHAR(10) NOT NULL, filed_at TIMESTAMP WITH TIME ZONE NOT NULL, filed_by VARCHAR(36) NOT NULL, checked_by VARCHAR(36), confirmed_by VARCHAR(36), verdict VARCHAR(10), adjustment TEXT, reply TEXT NOT NULL, resolved_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_objection PRIMARY KEY (id) );

CREATE INDEX ix_objection_line_id ON objection (line_id);

CREATE INDEX ix_objection_notice_id ON objection (notice_id);

CREATE TABLE outbox ( id VARCHAR(36) NOT NULL, shard VARCHAR(6) NOT NULL, message VARCHAR(100) NOT NULL, audience TEXT NOT NULL, data TEXT NOT NULL, process_key VARCHAR(100), definition_id VARCHAR(36), instance_id VARCHAR(36), task_id VARCHAR(36), created_at TIMESTAMP WITH TIME ZONE NOT NULL, status VARCHAR(8) NOT NULL, next_at TIMESTAMP WITH TIME ZONE NOT NULL, attempts SMALLINT NOT NULL, error TEXT, sent_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_outbox PRIMARY KEY (id) );

CREATE INDEX ix_outbox_queued ON outbox (next_at, id) WHERE status = 'queued';

CREATE TABLE package_draft ( key VARCHAR(100) NOT NULL, path VARCHAR(300) NOT NULL, content BYTEA NOT NULL, saved_at TIMESTAMP WITH TIME ZONE NOT NULL, saved_by VARCHAR(36) NOT NULL, revision INTEGER NOT NULL, CONSTRAINT pk_package_draft PRIMARY KEY (key, path) );

CREATE TABLE participant ( id VARCHAR(36) NOT NULL, name VARCHAR(100) NOT NULL, login VARCHAR(100) NOT NULL, phone VARCHAR(40), email VARCHAR(200), active BOOLEAN NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_participant PRIMARY KEY (id) );

CREATE UNIQUE INDEX ix_participant_login ON participant (login);

CREATE TABLE payout_batch ( id VARCHAR(36) NOT NULL, campaign_id VARCHAR(36) NOT NULL, town VARCHAR(32) NOT NULL, seq INTEGER NOT NULL, number VARCHAR(40) NOT NULL, status VARCHAR(10) NOT NULL, count INTEGER NOT NULL, total_fen BIGINT NOT NULL, remark VARCHAR(40) NOT NULL, csv_file VARCHAR(36) NOT NULL, xlsx_file VARCHAR(36) NOT NULL, sha256 VARCHAR(64) NOT NULL, made_at TIMESTAMP WITH TIME ZONE NOT NULL, made_by VARCHAR(36) NOT NULL, checked_by VARCHAR(36), handed_at TIMESTAMP WITH TIME ZONE, returned_at TIMESTAMP WITH TIME ZONE, settled_at TIMESTAMP WITH TIME ZONE, return_file VARCHAR(36), CONSTRAINT pk_payout_batch PRIMARY KEY (id), CONSTRAINT uq_payout_batch_campaign_id_town_seq UNIQUE (campaign_id, town, seq), CONSTRAINT uq_payout_batch_number UNIQUE (number) );

CREATE INDEX ix_payout_batch_town ON payout_batch (town);

CREATE TABLE payout_fix ( id VARCHAR(36) NOT NULL, campaign_id VARCHAR(36) NOT NULL, line_id VARCHAR(36) NOT NULL, reason VARCHAR(60) NOT NULL, way VARCHAR(10) NOT NULL, status VARCHAR(10) NOT NULL, opened_at TIMESTAMP WITH TIME ZONE NOT NULL, account_sealed BYTEA, account_masked VARCHAR(40) NOT NULL, account_kind VARCHAR(10) NOT NULL, account_name VARCHAR(40) NOT NULL, bank VARCHAR(60) NOT NULL, payee_reason VARCHAR(60) NOT NULL, receiver VARCHAR(40) NOT NULL, evidence TEXT NOT NULL, proposed_by VARCHAR(36), verified_by VARCHAR(36), done_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_payout_fix PRIMARY KEY (id) );

CREATE INDEX ix_payout_fix_line_id ON payout_fix (line_id);

CREATE TABLE payout_item ( id VARCHAR(36) NOT NULL, batch_id VARCHAR(36) NOT NULL, row_no INTEGER NOT NULL, line_id VARCHAR(36) NOT NULL, attempt INTEGER NOT NULL, amount_fen BIGINT NOT NULL, status VARCHAR(10) NOT NULL, return_code VARCHAR(10) NOT NULL, return_reason VARCHAR(60) NOT NULL, paid_fen BIGINT NOT NULL, booked_at VARCHAR(30) NOT NULL, reference VARCHAR(60) NOT NULL, CONSTRAINT pk_payout_item PRIMARY KEY (id), CONSTRAINT uq_payout_item_line_id_attempt UNIQUE (line_id, attempt) );

CREATE INDEX ix_payout_item_batch_id ON payout_item (batch_id);

CREATE TABLE process_definition ( id VARCHAR(36) NOT NULL, key VARCHAR(100) NOT NULL, version INTEGER NOT NULL, version_tag VARCHAR(50) NOT NULL, title VARCHAR(200) NOT NULL, summary TEXT NOT NULL, retention TEXT NOT NULL, digest VARCHAR(64) NOT NULL, bpmn VARCHAR(200) NOT NULL, deployed_at TIMESTAMP WITH TIME ZONE NOT NULL, deployed_by VARCHAR(36) NOT NULL, retired_at TIMESTAMP WITH TIME ZONE, manifest TEXT NOT NULL, bound TEXT NOT NULL, CONSTRAINT pk_process_definition PRIMARY KEY (id), CONSTRAINT uq_process_definition_key_version UNIQUE (key, version) );

CREATE TABLE process_instance ( id VARCHAR(36) NOT NULL, shard VARCHAR(6) NOT NULL, definition_id VARCHAR(36) NOT NULL, process_key VARCHAR(100) NOT NULL, business_key VARCHAR(200), title VARCHAR(300) NOT NULL, region VARCHAR(32) NOT NULL, status VARCHAR(12) NOT NULL, revision INTEGER NOT NULL, state BYTEA NOT NULL, fact_count INTEGER NOT NULL, fact_hash BYTEA NOT NULL, started_at TIMESTAMP WITH TIME ZONE NOT NULL, started_by VARCHAR(36), ended_at TIMESTAMP WITH TIME ZONE, end_reason VARCHAR(500), parent_id VARCHAR(36), parent_element INTEGER, root_id VARCHAR(36) NOT NULL, CONSTRAINT pk_process_instance PRIMARY KEY (id) );

CREATE INDEX ix_process_instance_open ON process_instance (process_key, status, id) WHERE ended_at IS NULL;

CREATE INDEX ix_process_instance_parent_id ON process_instance (parent_id);

CREATE INDEX ix_process_instance_process_key_process_instance_business_key ON process_instance (process_key, business_key);

CREATE INDEX ix_process_instance_region_process_instance_id ON process_instance (region, id);

CREATE INDEX ix_process_instance_root_id ON process_instance (root_id);

CREATE TABLE relief_campaign ( id VARCHAR(36) NOT NULL, name VARCHAR(80) NOT NULL, county VARCHAR(32) NOT NULL, winter INTEGER NOT NULL, status VARCHAR(10) NOT NULL, total_fen BIGINT NOT NULL, document_no VARCHAR(60) NOT NULL, plan_document_no VARCHAR(60) NOT NULL, hotline VARCHAR(40) NOT NULL, profiles TEXT NOT NULL, conflicts TEXT NOT NULL, schedule_choice VARCHAR(200) NOT NULL, opened_at TIMESTAMP WITH TIME ZONE NOT NULL, archived_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_relief_campaign PRIMARY KEY (id) );

CREATE INDEX ix_relief_campaign_county ON relief_campaign (county);

CREATE TABLE result_publication ( campaign_id VARCHAR(36) NOT NULL, village VARCHAR(32) NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, actor_id VARCHAR(36) NOT NULL, places TEXT NOT NULL, photos TEXT NOT NULL, households INTEGER NOT NULL, paid_fen BIGINT NOT NULL, CONSTRAINT pk_result_publication PRIMARY KEY (campaign_id, village) );

CREATE TABLE roster ( id VARCHAR(36) NOT NULL, campaign_id VARCHAR(36) NOT NULL, village VARCHAR(32) NOT NULL, town VARCHAR(32) NOT NULL, opened_at TIMESTAMP WITH TIME ZONE NOT NULL, visited_at TIMESTAMP WITH TIME ZONE, visit_photos TEXT NOT NULL, meeting TEXT, submitted_at TIMESTAMP WITH TIME ZONE, submitted_by VARCHAR(36), CONSTRAINT pk_roster PRIMARY KEY (id), CONSTRAINT uq_roster_campaign_id_village UNIQUE (campaign_id, village) );

CREATE INDEX ix_roster_town ON roster (town);

CREATE INDEX ix_roster_village ON roster (village);

CREATE TABLE roster_line ( id VARCHAR(36) NOT NULL, campaign_id VARCHAR(36) NOT NULL, roster_id VARCHAR(36) NOT NULL, town VARCHAR(32) NOT NULL, village VARCHAR(32) NOT NULL, seq INTEGER NOT NULL, version INTEGER NOT NULL, state VARCHAR(20) NOT NULL, group_name VARCHAR(60) NOT NULL, head_name VARCHAR(40) NOT NULL, id_kind VARCHAR(20) NOT NULL, no_id_reason VARCHAR(20), id_sealed BYTEA, id_hash VARCHAR(64), id_masked VARCHAR(24) NOT NULL, head_is_minor BOOLEAN NOT NULL, guardian_name VARCHAR(40) NOT NULL, phone_sealed BYTEA, phone_masked VARCHAR(24) NOT NULL, address VARCHAR(100) NOT NULL, members_n INTEGER NOT NULL, need_n INTEGER NOT NULL, hukou VARCHAR(10) NOT NULL, family_type VARCHAR(20) NOT NULL, family_types TEXT NOT NULL, dis_types TEXT NOT NULL, dis_on VARCHAR(10), hazard_kind VARCHAR(20) NOT NULL, self_help VARCHAR(10) NOT NULL, needs TEXT NOT NULL, need_months INTEGER NOT NULL, apply_way VARCHAR(10) NOT NULL, reason TEXT NOT NULL, pay_way VARCHAR(10) NOT NULL, account_kind VARCHAR(10) NOT NULL, bank VARCHAR(60) NOT NULL, account_sealed BYTEA, account_hash VARCHAR(64), account_masked VARCHAR(40) NOT NULL, account_name VARCHAR(40) NOT NULL, payee_reason VARCHAR(60) NOT NULL, surveyors TEXT NOT NULL, entered_by VARCHAR(36) NOT NULL, is_relative BOOLEAN NOT NULL, level VARCHAR(10), main_type VARCHAR(10), planned_fen BIGINT NOT NULL, least_fen BIGINT NOT NULL, most_fen BIGINT NOT NULL, amount_trace TEXT NOT NULL, exception VARCHAR(10) NOT NULL, exception_reason TEXT NOT NULL, exception_by VARCHAR(36), approved_fen BIGINT NOT NULL, paid_fen BIGINT NOT NULL, pay_failures INTEGER NOT NULL, spot VARCHAR(10) NOT NULL, opinion TEXT NOT NULL, passed_by VARCHAR(36) NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL, updated_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_roster_line PRIMARY KEY (id), CONSTRAINT uq_roster_line_roster_id_seq UNIQUE (roster_id, seq) );

CREATE INDEX ix_roster_line_account ON roster_line (campaign_id, account_hash);

CREATE INDEX ix_roster_line_campaign_state ON roster_line (campaign_id, state);

CREATE INDEX ix_roster_line_id_hash ON roster_line (id_hash);

CREATE INDEX ix_roster_line_town_state ON roster_line (campaign_id, town, state);

CREATE INDEX ix_roster_line_village ON roster_line (village);

CREATE TABLE roster_line_event ( id VARCHAR(36) NOT NULL, line_id VARCHAR(36) NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, actor_id VARCHAR(36) NOT NULL, verb VARCHAR(20) NOT NULL, before VARCHAR(20) NOT NULL, after VARCHAR(20) NOT NULL, version INTEGER NOT NULL, reason TEXT NOT NULL, CONSTRAINT pk_roster_line_event PRIMARY KEY (id) );

CREATE INDEX ix_roster_line_event_line_id ON roster_line_event (line_id);

CREATE TABLE roster_line_version ( line_id VARCHAR(36) NOT NULL, version INTEGER NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, actor_id VARCHAR(36) NOT NULL, content TEXT NOT NULL, CONSTRAINT pk_roster_line_version PRIMARY KEY (line_id, version) );

CREATE TABLE roster_member ( id VARCHAR(36) NOT NULL, line_id VARCHAR(36) NOT NULL, name VARCHAR(40) NOT NULL, relation VARCHAR(20) NOT NULL, id_sealed BYTEA, id_hash VARCHAR(64), id_masked VARCHAR(24) NOT NULL, is_needy BOOLEAN NOT NULL, CONSTRAINT pk_roster_member PRIMARY KEY (id) );

CREATE INDEX ix_roster_member_id_hash ON roster_member (id_hash);

CREATE INDEX ix_roster_member_line_id ON roster_member (line_id);

CREATE TABLE schema_version ( number SERIAL NOT NULL, name VARCHAR(100) NOT NULL, applied_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_schema_version PRIMARY KEY (number) );

CREATE TABLE task_comment ( id VARCHAR(36) NOT NULL, shard VARCHAR(6) NOT NULL, instance_id VARCHAR(36) NOT NULL, task_id VARCHAR(36), author VARCHAR(36) NOT NULL, author_name VARCHAR(100) NOT NULL, text TEXT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_task_comment PRIMARY KEY (id) );

CREATE INDEX ix_task_comment_instance_id_task_comment_id ON task_comment (instance_id, id);

CREATE INDEX ix_task_comment_task_id ON task_comment (task_id);

CREATE TABLE task_draft ( task_id VARCHAR(36) NOT NULL, participant_id VARCHAR(36) NOT NULL, data TEXT NOT NULL, saved_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_task_draft PRIMARY KEY (task_id, participant_id) );

CREATE TABLE timer ( instance_id VARCHAR(36) NOT NULL, kind VARCHAR(10) NOT NULL, element INTEGER NOT NULL, id VARCHAR(36) NOT NULL, shard VARCHAR(6) NOT NULL, bucket SMALLINT NOT NULL, node_id VARCHAR(200) NOT NULL, task_id VARCHAR(36), rung SMALLINT, planned_at TIMESTAMP WITH TIME ZONE NOT NULL, due_at TIMESTAMP WITH TIME ZONE NOT NULL, attempts SMALLINT NOT NULL, length VARCHAR(100), since TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_timer PRIMARY KEY (instance_id, kind, element) );

CREATE INDEX ix_timer_due_at ON timer (due_at);

CREATE TABLE web_session ( token_hash VARCHAR(64) NOT NULL, participant_id VARCHAR(36) NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL, seen_at TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT pk_web_session PRIMARY KEY (token_hash) );

CREATE INDEX ix_web_session_participant_id ON web_session (participant_id);

CREATE TABLE definition_file ( definition_id VARCHAR(36) NOT NULL, path VARCHAR(300) NOT NULL, sha256 VARCHAR(64) NOT NULL, content BYTEA NOT NULL, CONSTRAINT pk_definition_file PRIMARY KEY (definition_id, path), CONSTRAINT fk_definition_file_definition_id FOREIGN KEY(definition_id) REFERENCES process_definition (id) );

CREATE TABLE definition_start ( definition_id VARCHAR(36) NOT NULL, node_id VARCHAR(200) NOT NULL, process_key VARCHAR(100) NOT NULL, kind VARCHAR(10) NOT NULL, name VARCHAR(200) NOT NULL, CONSTRAINT pk_definition_start PRIMARY KEY (definition_id, node_id), CONSTRAINT fk_definition_start_definition_id FOREIGN KEY(definition_id) REFERENCES process_definition (id) );

CREATE INDEX ix_definition_start_kind_definition_start_name ON definition_start (kind, name);

CREATE TABLE delivery ( message_id VARCHAR(36) NOT NULL, channel VARCHAR(20) NOT NULL, status VARCHAR(8) NOT NULL, next_at TIMESTAMP WITH TIME ZONE NOT NULL, attempts SMALLINT NOT NULL, error TEXT NOT NULL, sent_at TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_delivery PRIMARY KEY (message_id, channel), CONSTRAINT fk_delivery_message_id FOREIGN KEY(message_id) REFERENCES message (id) );

CREATE INDEX ix_delivery_status ON delivery (status, message_id);

CREATE INDEX ix_delivery_waiting ON delivery (next_at) WHERE status = 'waiting';

CREATE TABLE seat ( id VARCHAR(36) NOT NULL, participant_id VARCHAR(36) NOT NULL, role VARCHAR(64) NOT NULL, unit VARCHAR(32) NOT NULL, since VARCHAR(10) NOT NULL, until VARCHAR(10), CONSTRAINT pk_seat PRIMARY KEY (id), CONSTRAINT fk_seat_participant_id FOREIGN KEY(participant_id) REFERENCES participant (id) );

CREATE INDEX ix_seat_participant_id ON seat (participant_id);

CREATE INDEX ix_seat_unit_seat_role ON seat (unit, role);

CREATE TABLE substitution ( id VARCHAR(36) NOT NULL, absent_id VARCHAR(36) NOT NULL, substitute_id VARCHAR(36) NOT NULL, since VARCHAR(10) NOT NULL, until VARCHAR(10) NOT NULL, reason VARCHAR(200) NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL, created_by VARCHAR(36) NOT NULL, CONSTRAINT pk_substitution PRIMARY KEY (id), CONSTRAINT fk_substitution_absent_id FOREIGN KEY(absent_id) REFERENCES participant (id), CONSTRAINT fk_substitution_substitute_id FOREIGN KEY(substitute_id) REFERENCES participant (id) );

CREATE INDEX ix_substitution_absent_id ON substitution (absent_id);

CREATE INDEX ix_substitution_substitute_id ON substitution (substitute_id);
