BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('v3.2.0.a');
CREATE TABLE studies (
	study_id INTEGER NOT NULL, 
	study_name VARCHAR(512) NOT NULL, 
	PRIMARY KEY (study_id)
);
INSERT INTO "studies" VALUES(1,'mixed');
INSERT INTO "studies" VALUES(2,'two');
INSERT INTO "studies" VALUES(3,'constrained');
CREATE TABLE study_directions (
	study_direction_id INTEGER NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	study_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	PRIMARY KEY (study_direction_id), 
	UNIQUE (study_id, objective), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_directions" VALUES(1,'MAXIMIZE',1,0);
INSERT INTO "study_directions" VALUES(2,'MINIMIZE',2,0);
INSERT INTO "study_directions" VALUES(3,'MAXIMIZE',2,1);
INSERT INTO "study_directions" VALUES(4,'MINIMIZE',3,0);
CREATE TABLE study_system_attributes (
	study_system_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_system_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_system_attributes" VALUES(1,1,'study:metric_names','["accuracy"]');
CREATE TABLE study_user_attributes (
	study_user_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_user_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_user_attributes" VALUES(1,1,'owner','"ann"');
CREATE TABLE trial_heartbeats (
	trial_heartbeat_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	PRIMARY KEY (trial_heartbeat_id), 
	UNIQUE (trial_id), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_intermediate_values (
	trial_intermediate_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	intermediate_value FLOAT, 
	intermediate_value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_intermediate_value_id), 
	UNIQUE (trial_id, step), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_intermediate_values" VALUES(1,1,0,1.78264971513869482921e-02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(2,1,1,1.0178264971513868442e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(3,1,2,2.01782649715138706625e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(4,2,0,0.00807230788449976,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(5,2,1,1.008072307884499752e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(6,2,2,2.0080723078845,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(7,3,0,3.62060072574474107326e-03,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(8,3,1,1.0036206007257446604e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(9,3,2,2.00362060072574488245e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(10,4,0,0.0413475900783472,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(11,5,0,4.10541201685889374506e-03,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(12,5,1,1.00410541201685887813e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(13,5,2,2.00410541201685887813e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(14,6,0,1.0266030035164250278e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(15,6,1,1.10266030035164241951e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(16,6,2,2.10266030035164241951e+00,'FINITE');
CREATE TABLE trial_params (
	param_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	param_name VARCHAR(512), 
	param_value FLOAT, 
	distribution_json TEXT, 
	PRIMARY KEY (param_id), 
	UNIQUE (trial_id, param_name), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_params" VALUES(1,1,'lr',1.78264971513869487258e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(2,1,'act',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", null]}}');
INSERT INTO "trial_params" VALUES(3,2,'lr',8.07230788449976133062e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(4,2,'act',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", null]}}');
INSERT INTO "trial_params" VALUES(5,3,'lr',3.62060072574474085642e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(6,3,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", null]}}');
INSERT INTO "trial_params" VALUES(7,4,'lr',0.00413475900783472,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(8,4,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", null]}}');
INSERT INTO "trial_params" VALUES(9,5,'lr',4.1054120168588934198e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(10,5,'act',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", null]}}');
INSERT INTO "trial_params" VALUES(11,6,'lr',1.0266030035164250625e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(12,6,'act',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["relu", null]}}');
INSERT INTO "trial_params" VALUES(13,9,'k',1.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 9}}');
INSERT INTO "trial_params" VALUES(14,9,'y',0.0,'{"name": "FloatDistribution", "attributes": {"step": 0.25, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(15,10,'k',8.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 9}}');
INSERT INTO "trial_params" VALUES(16,10,'y',1.0,'{"name": "FloatDistribution", "attributes": {"step": 0.25, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(17,11,'k',3.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 9}}');
INSERT INTO "trial_params" VALUES(18,11,'y',0.75,'{"name": "FloatDistribution", "attributes": {"step": 0.25, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(19,12,'k',8.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 9}}');
INSERT INTO "trial_params" VALUES(20,12,'y',1.0,'{"name": "FloatDistribution", "attributes": {"step": 0.25, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(21,13,'k',0.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 9}}');
INSERT INTO "trial_params" VALUES(22,13,'y',0.0,'{"name": "FloatDistribution", "attributes": {"step": 0.25, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(23,14,'k',1.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 9}}');
INSERT INTO "trial_params" VALUES(24,14,'y',1.0,'{"name": "FloatDistribution", "attributes": {"step": 0.25, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(25,15,'x',0.417022004702574,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(26,16,'x',7.20324493442158098055e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(27,17,'x',1.1437481734488663676e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(28,18,'x',3.02332572631839768817e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(29,19,'x',1.46755890817113043844e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(30,20,'x',0.0923385947687978,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
CREATE TABLE trial_system_attributes (
	trial_system_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_system_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_system_attributes" VALUES(1,8,'fixed_params','{"lr": 0.01}');
INSERT INTO "trial_system_attributes" VALUES(2,15,'NSGAIISampler:generation','0');
INSERT INTO "trial_system_attributes" VALUES(3,15,'constraints','[-0.01702200470257398]');
INSERT INTO "trial_system_attributes" VALUES(4,16,'NSGAIISampler:generation','0');
INSERT INTO "trial_system_attributes" VALUES(5,16,'constraints','[-0.3203244934421581]');
INSERT INTO "trial_system_attributes" VALUES(6,17,'NSGAIISampler:generation','0');
INSERT INTO "trial_system_attributes" VALUES(7,17,'constraints','[0.39988562518265514]');
INSERT INTO "trial_system_attributes" VALUES(8,18,'NSGAIISampler:generation','0');
INSERT INTO "trial_system_attributes" VALUES(9,18,'constraints','[0.09766742736816025]');
INSERT INTO "trial_system_attributes" VALUES(10,19,'NSGAIISampler:generation','0');
INSERT INTO "trial_system_attributes" VALUES(11,19,'constraints','[0.253244109182887]');
INSERT INTO "trial_system_attributes" VALUES(12,20,'NSGAIISampler:generation','0');
INSERT INTO "trial_system_attributes" VALUES(13,20,'constraints','[0.3076614052312022]');
CREATE TABLE trial_user_attributes (
	trial_user_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_user_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_user_attributes" VALUES(1,1,'note','"zo\u00eb"');
INSERT INTO "trial_user_attributes" VALUES(2,2,'note','"zo\u00eb"');
INSERT INTO "trial_user_attributes" VALUES(3,3,'note','"zo\u00eb"');
INSERT INTO "trial_user_attributes" VALUES(4,4,'note','"zo\u00eb"');
INSERT INTO "trial_user_attributes" VALUES(5,5,'note','"zo\u00eb"');
INSERT INTO "trial_user_attributes" VALUES(6,6,'note','"zo\u00eb"');
CREATE TABLE trial_values (
	trial_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	value FLOAT, 
	value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_value_id), 
	UNIQUE (trial_id, objective), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_values" VALUES(1,1,0,1.78264971513869482921e-02,'FINITE');
INSERT INTO "trial_values" VALUES(2,2,0,0.00807230788449976,'FINITE');
INSERT INTO "trial_values" VALUES(3,3,0,1.0036206007257446604e+00,'FINITE');
INSERT INTO "trial_values" VALUES(4,4,0,0.0413475900783472,'FINITE');
INSERT INTO "trial_values" VALUES(5,6,0,1.10266030035164241951e+00,'FINITE');
INSERT INTO "trial_values" VALUES(6,9,0,1.0,'FINITE');
INSERT INTO "trial_values" VALUES(7,9,1,0.0,'FINITE');
INSERT INTO "trial_values" VALUES(8,10,0,8.0,'FINITE');
INSERT INTO "trial_values" VALUES(9,10,1,1.0,'FINITE');
INSERT INTO "trial_values" VALUES(10,11,0,3.0,'FINITE');
INSERT INTO "trial_values" VALUES(11,11,1,0.75,'FINITE');
INSERT INTO "trial_values" VALUES(12,12,0,8.0,'FINITE');
INSERT INTO "trial_values" VALUES(13,12,1,1.0,'FINITE');
INSERT INTO "trial_values" VALUES(14,13,0,0.0,'FINITE');
INSERT INTO "trial_values" VALUES(15,13,1,0.0,'FINITE');
INSERT INTO "trial_values" VALUES(16,14,0,1.0,'FINITE');
INSERT INTO "trial_values" VALUES(17,14,1,1.0,'FINITE');
INSERT INTO "trial_values" VALUES(18,15,0,0.417022004702574,'FINITE');
INSERT INTO "trial_values" VALUES(19,16,0,7.20324493442158098055e-01,'FINITE');
INSERT INTO "trial_values" VALUES(20,17,0,1.1437481734488663676e-04,'FINITE');
INSERT INTO "trial_values" VALUES(21,18,0,3.02332572631839768817e-01,'FINITE');
INSERT INTO "trial_values" VALUES(22,19,0,1.46755890817113043844e-01,'FINITE');
INSERT INTO "trial_values" VALUES(23,20,0,0.0923385947687978,'FINITE');
CREATE TABLE trials (
	trial_id INTEGER NOT NULL, 
	number INTEGER, 
	study_id INTEGER, 
	state VARCHAR(8) NOT NULL, 
	datetime_start DATETIME, 
	datetime_complete DATETIME, 
	PRIMARY KEY (trial_id), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "trials" VALUES(1,0,1,'COMPLETE','2026-11-30 02:25:54.519081','2026-11-30 02:25:54.666907');
INSERT INTO "trials" VALUES(2,1,1,'COMPLETE','2026-11-30 02:25:54.714461','2026-11-30 02:25:54.794818');
INSERT INTO "trials" VALUES(3,2,1,'COMPLETE','2026-11-30 02:25:54.823039','2026-11-30 02:25:54.901715');
INSERT INTO "trials" VALUES(4,3,1,'PRUNED','2026-11-30 02:25:54.928954','2026-11-30 02:25:54.971330');
INSERT INTO "trials" VALUES(5,4,1,'FAIL','2026-11-30 02:25:55.004372','2026-11-30 02:25:55.062456');
INSERT INTO "trials" VALUES(6,5,1,'COMPLETE','2026-11-30 02:25:55.083512','2026-11-30 02:25:55.150380');
INSERT INTO "trials" VALUES(7,6,1,'RUNNING','2026-11-30 02:25:55.175885',NULL);
INSERT INTO "trials" VALUES(8,7,1,'WAITING',NULL,NULL);
INSERT INTO "trials" VALUES(9,0,2,'COMPLETE','2026-11-30 02:25:55.218453','2026-11-30 02:25:55.271202');
INSERT INTO "trials" VALUES(10,1,2,'COMPLETE','2026-11-30 02:25:55.293118','2026-11-30 02:25:55.368728');
INSERT INTO "trials" VALUES(11,2,2,'COMPLETE','2026-11-30 02:25:55.389001','2026-11-30 02:25:55.453897');
INSERT INTO "trials" VALUES(12,3,2,'COMPLETE','2026-11-30 02:25:55.479997','2026-11-30 02:25:55.526872');
INSERT INTO "trials" VALUES(13,4,2,'COMPLETE','2026-11-30 02:25:55.554171','2026-11-30 02:25:55.603353');
INSERT INTO "trials" VALUES(14,5,2,'COMPLETE','2026-11-30 02:25:55.621990','2026-11-30 02:25:55.666326');
INSERT INTO "trials" VALUES(15,0,3,'COMPLETE','2026-11-30 02:25:55.696833','2026-11-30 02:25:55.757919');
INSERT INTO "trials" VALUES(16,1,3,'COMPLETE','2026-11-30 02:25:55.786492','2026-11-30 02:25:55.878100');
INSERT INTO "trials" VALUES(17,2,3,'COMPLETE','2026-11-30 02:25:55.911047','2026-11-30 02:25:56.022453');
INSERT INTO "trials" VALUES(18,3,3,'COMPLETE','2026-11-30 02:25:56.060546','2026-11-30 02:25:56.140715');
INSERT INTO "trials" VALUES(19,4,3,'COMPLETE','2026-11-30 02:25:56.162683','2026-11-30 02:25:56.234997');
INSERT INTO "trials" VALUES(20,5,3,'COMPLETE','2026-11-30 02:25:56.276737','2026-11-30 02:25:56.361538');
CREATE TABLE version_info (
	version_info_id INTEGER NOT NULL, 
	schema_version INTEGER, 
	library_version VARCHAR(256), 
	PRIMARY KEY (version_info_id), 
	CHECK (version_info_id=1)
);
INSERT INTO "version_info" VALUES(1,12,'4.5.0');
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE INDEX ix_trials_study_id ON trials (study_id);
COMMIT;
