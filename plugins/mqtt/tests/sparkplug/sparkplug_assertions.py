"""Every assertion of the Sparkplug 3.0.0 specification, and what shows that it is kept.

A line is the id without its `tck-id-`, and the check of `sparkplug_checks` (several where one is
not enough), whose docstring says what is looked at; or the letter of a reason why an edge node of
this kind has nothing to show:

H  a duty of a host application
S  a duty of an MQTT server
T  template, data set: this node publishes none (`no_templates` looks)
U  up to whoever configures the nodes of a group: one node cannot see the others
C  says what a host must put into a command; that others are refused is in test_commands.py
M  one server is configured, there is no list to walk
"""

from __future__ import annotations

REASONS = {
    "H": "a duty of a host application",
    "S": "a duty of an MQTT server",
    "T": "no template and no data set is published",
    "U": "up to whoever configures the nodes of a group",
    "C": "what a host must put into a command",
    "M": "there is no list of servers to walk",
}

_TABLE = """
intro-sparkplug-host-state                                        H
intro-group-id-string                                             topics
intro-group-id-chars                                              topic_names
intro-edge-node-id-string                                         topics
intro-edge-node-id-chars                                          topic_names
intro-device-id-string                                            topics
intro-device-id-chars                                             topic_names
intro-edge-node-id-uniqueness                                     U

principles-rbe-recommended                                        by_exception
principles-birth-certificates-order                               births_first
principles-persistence-clean-session-311                          clean_session
principles-persistence-clean-session-50                           clean_session
components-ph-state                                               H

topic-structure                                                   topics
topic-structure-namespace-a                                       topics
topic-structure-namespace-valid-group-id                          topic_names
topic-structure-namespace-unique-edge-node-descriptor             U
topic-structure-namespace-valid-edge-node-id                      topic_names
topic-structure-namespace-valid-device-id                         topic_names
topic-structure-namespace-unique-device-id                        devices_differ
topic-structure-namespace-duplicate-device-id-across-edge-node    U
topic-structure-namespace-device-id-associated-message-types      topics
topic-structure-namespace-device-id-non-associated-message-types  topics
case-sensitivity-sparkplug-ids                                    case_of_names
case-sensitivity-metric-names                                     case_of_names

topics-nbirth-topic                                               topics
topics-nbirth-mqtt                                                nbirth_mqtt
topics-nbirth-seq-num                                             sequence
topics-nbirth-timestamp                                           timestamps
topics-nbirth-metric-reqs                                         births_are_complete
topics-nbirth-metrics                                             births_are_whole
topics-nbirth-templates                                           no_templates
topics-nbirth-bdseq-included                                      bdseq_of_births
topics-nbirth-bdseq-matching                                      bdseq_of_births
topics-nbirth-bdseq-increment                                     bdseq_increments
topics-nbirth-rebirth-metric                                      rebirth_metric
topics-ndata-topic                                                topics
topics-ndata-mqtt                                                 ndata_mqtt
topics-ndata-seq-num                                              sequence
topics-ndata-timestamp                                            timestamps
topics-ndata-payload                                              births_are_complete by_exception
topics-ndeath-topic                                               topics will
topics-ndeath-payload                                             deaths_match will
topics-ndeath-seq                                                 deaths_match will
topics-ncmd-topic                                                 C
topics-ncmd-mqtt                                                  C
topics-ncmd-timestamp                                             C
topics-ncmd-payload                                               C
topics-dbirth-topic                                               topics
topics-dbirth-mqtt                                                dbirth_mqtt
topics-dbirth-seq                                                 sequence
topics-dbirth-timestamp                                           timestamps
topics-dbirth-metric-reqs                                         births_are_complete
topics-dbirth-metrics                                             births_are_whole
topics-ddata-topic                                                topics
topics-ddata-mqtt                                                 ddata_mqtt
topics-ddata-seq-num                                              sequence
topics-ddata-timestamp                                            timestamps
topics-ddata-payload                                              births_are_complete every_change
topics-ddeath-topic                                               topics
topics-ddeath-mqtt                                                ddeath_mqtt
topics-ddeath-seq-num                                             sequence
topics-dcmd-topic                                                 C
topics-dcmd-mqtt                                                  C
topics-dcmd-timestamp                                             C
topics-dcmd-payload                                               C
host-topic-phid-birth-message                                     H
host-topic-phid-birth-qos                                         H
host-topic-phid-birth-retain                                      H
host-topic-phid-birth-topic                                       H
host-topic-phid-birth-sub-required                                H
host-topic-phid-birth-required                                    H
host-topic-phid-birth-payload                                     H
host-topic-phid-birth-payload-timestamp                           H
host-topic-phid-death-qos                                         H
host-topic-phid-death-retain                                      H
host-topic-phid-death-topic                                       H
host-topic-phid-death-required                                    H
host-topic-phid-death-payload                                     H
host-topic-phid-death-payload-connect                             H
host-topic-phid-death-payload-disconnect-clean                    H
host-topic-phid-death-payload-disconnect-with-no-disconnect-packet  H

message-flow-phid-sparkplug-clean-session-311                     H
message-flow-phid-sparkplug-clean-session-50                      H
message-flow-phid-sparkplug-subscription                          H
message-flow-phid-sparkplug-state-publish                         H
message-flow-phid-sparkplug-state-publish-payload                 H
message-flow-phid-sparkplug-state-publish-payload-timestamp       H
message-flow-hid-sparkplug-state-message-delivered                H
message-flow-edge-node-ncmd-subscribe                             subscribes_ncmd
message-flow-edge-node-birth-publish-connect                      connected_first
message-flow-edge-node-birth-publish-will-message                 will
message-flow-edge-node-birth-publish-will-message-topic           will
message-flow-edge-node-birth-publish-will-message-payload         will
message-flow-edge-node-birth-publish-will-message-payload-bdSeq   bdseq_increments
message-flow-edge-node-birth-publish-will-message-qos             will
message-flow-edge-node-birth-publish-will-message-will-retained   will
message-flow-edge-node-birth-publish-phid-wait                    waits_for_host
message-flow-edge-node-birth-publish-phid-wait-id                 waits_for_host
message-flow-edge-node-birth-publish-phid-wait-online             waits_for_host
message-flow-edge-node-birth-publish-phid-wait-timestamp          outdated_offline
message-flow-edge-node-birth-publish-nbirth-topic                 topics
message-flow-edge-node-birth-publish-nbirth-payload               payloads_are_readable
message-flow-edge-node-birth-publish-nbirth-payload-bdSeq         bdseq_of_births
message-flow-edge-node-birth-publish-nbirth-qos                   nbirth_mqtt
message-flow-edge-node-birth-publish-nbirth-retained              nbirth_mqtt
message-flow-edge-node-birth-publish-nbirth-payload-seq           sequence
message-flow-edge-node-birth-publish-phid-offline                 offline_ends
message-flow-device-dcmd-subscribe                                subscribes_dcmd
message-flow-device-birth-publish-nbirth-wait                     births_first
message-flow-device-birth-publish-dbirth-topic                    topics
message-flow-device-birth-publish-dbirth-match-edge-node-topic    topics
message-flow-device-birth-publish-dbirth-payload                  payloads_are_readable
message-flow-device-birth-publish-dbirth-qos                      dbirth_mqtt
message-flow-device-birth-publish-dbirth-retained                 dbirth_mqtt
message-flow-device-birth-publish-dbirth-payload-seq              sequence

operational-behavior-edge-node-intentional-disconnect-ndeath      orderly_end
operational-behavior-edge-node-intentional-disconnect-packet      orderly_end
operational-behavior-edge-node-termination-host-action-ndeath-node-offline       H
operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale    H
operational-behavior-edge-node-termination-host-action-ndeath-devices-offline    H
operational-behavior-edge-node-termination-host-action-ndeath-devices-tags-stale H
operational-behavior-edge-node-termination-host-offline           offline_ends
operational-behavior-edge-node-termination-host-offline-reconnect offline_ends
operational-behavior-edge-node-termination-host-offline-timestamp outdated_offline
operational-behavior-device-ddeath                                device_death
operational-behavior-edge-node-termination-host-action-ddeath-devices-offline    H
operational-behavior-edge-node-termination-host-action-ddeath-devices-tags-stale H
operational-behavior-host-reordering-param                        H
operational-behavior-host-reordering-start                        H
operational-behavior-host-reordering-rebirth                      H
operational-behavior-host-reordering-success                      H
operational-behavior-primary-application-state-with-multiple-servers-state-subs    subscribes_state
operational-behavior-primary-application-state-with-multiple-servers-state         H
operational-behavior-primary-application-state-with-multiple-servers-single-server one_server
operational-behavior-primary-application-state-with-multiple-servers-walk          M
operational-behavior-edge-node-birth-sequence-wait                waits_for_host
operational-behavior-host-application-host-id                     H
operational-behavior-host-application-connect-will                H
operational-behavior-host-application-connect-will-topic          H
operational-behavior-host-application-connect-will-payload        H
operational-behavior-host-application-connect-will-qos            H
operational-behavior-host-application-connect-will-retained       H
operational-behavior-host-application-connect-birth               H
operational-behavior-host-application-connect-birth-topic         H
operational-behavior-host-application-connect-birth-payload       H
operational-behavior-host-application-connect-birth-qos           H
operational-behavior-host-application-connect-birth-retained      H
operational-behavior-host-application-multi-server-timestamp      H
operational-behavior-host-application-termination                 H
operational-behavior-host-application-death-topic                 H
operational-behavior-host-application-death-payload               H
operational-behavior-host-application-death-qos                   H
operational-behavior-host-application-death-retained              H
operational-behavior-host-application-disconnect-intentional      H
operational-behavior-data-publish-nbirth                          births_are_complete
operational-behavior-data-publish-nbirth-values                   births_are_whole current_values
operational-behavior-data-publish-nbirth-change                   by_exception
operational-behavior-data-publish-nbirth-order                    chronological
operational-behavior-data-publish-dbirth                          births_are_complete
operational-behavior-data-publish-dbirth-values                   births_are_whole current_values
operational-behavior-data-publish-dbirth-change                   by_exception
operational-behavior-data-publish-dbirth-order                    chronological
operational-behavior-data-commands-rebirth-name                   rebirth_metric
operational-behavior-data-commands-rebirth-name-aliases           rebirth_metric
operational-behavior-data-commands-rebirth-datatype               rebirth_metric
operational-behavior-data-commands-rebirth-value                  rebirth_metric
operational-behavior-data-commands-ncmd-rebirth-verb              C
operational-behavior-data-commands-ncmd-rebirth-name              C
operational-behavior-data-commands-ncmd-rebirth-value             C
operational-behavior-data-commands-rebirth-action-1               rebirth
operational-behavior-data-commands-rebirth-action-2               rebirth
operational-behavior-data-commands-rebirth-action-3               rebirth bdseq_of_births
operational-behavior-data-commands-ncmd-verb                      C
operational-behavior-data-commands-ncmd-metric-name               C
operational-behavior-data-commands-ncmd-metric-value              C
operational-behavior-data-commands-dcmd-verb                      C
operational-behavior-data-commands-dcmd-metric-name               C
operational-behavior-data-commands-dcmd-metric-value              C

payloads-timestamp-in-UTC                                         timestamps
payloads-sequence-num-always-included                             sequence
payloads-sequence-num-zero-nbirth                                 sequence
payloads-sequence-num-incrementing                                sequence
payloads-name-requirement                                         aliases
payloads-alias-uniqueness                                         aliases
payloads-alias-birth-requirement                                  aliases
payloads-alias-data-cmd-requirement                               aliases
payloads-name-birth-data-requirement                              metric_timestamps
payloads-name-cmd-requirement                                     C
payloads-metric-timestamp-in-UTC                                  metric_timestamps
payloads-metric-datatype-value-type                               births_are_whole
payloads-metric-datatype-value                                    births_are_whole
payloads-metric-datatype-req                                      births_are_whole
payloads-metric-datatype-not-req                                  data_without_datatype
payloads-propertyset-keys-array-size                              property_sets
payloads-propertyset-values-array-size                            property_sets
payloads-metric-propertyvalue-type-type                           property_sets
payloads-metric-propertyvalue-type-value                          property_sets
payloads-metric-propertyvalue-type-req                            property_sets
payloads-propertyset-quality-value-type                           quality_codes
payloads-propertyset-quality-value-value                          quality_codes
payloads-dataset-column-size                                      T
payloads-dataset-column-num-headers                               T
payloads-dataset-types-def                                        T
payloads-dataset-types-num                                        T
payloads-dataset-types-type                                       T
payloads-dataset-types-value                                      T
payloads-dataset-parameter-type-req                               T
payloads-template-dataset-value                                   T
payloads-template-definition-nbirth-only                          T
payloads-template-definition-is-definition                        T
payloads-template-definition-ref                                  T
payloads-template-definition-members                              T
payloads-template-definition-nbirth                               T
payloads-template-definition-parameters                           T
payloads-template-definition-parameters-default                   T
payloads-template-instance-is-definition                          T
payloads-template-instance-ref                                    T
payloads-template-instance-members                                T
payloads-template-instance-members-birth                          T
payloads-template-instance-members-data                           T
payloads-template-instance-parameters                             T
payloads-template-version                                         T
payloads-template-ref-definition                                  T
payloads-template-ref-instance                                    T
payloads-template-is-definition                                   T
payloads-template-is-definition-definition                        T
payloads-template-is-definition-instance                          T
payloads-template-parameter-name-required                         T
payloads-template-parameter-name-type                             T
payloads-template-parameter-value-type                            T
payloads-template-parameter-type-value                            T
payloads-template-parameter-type-req                              T
payloads-template-parameter-value                                 T
payloads-nbirth-timestamp                                         timestamps
payloads-nbirth-edge-node-descriptor                              U
payloads-nbirth-seq                                               sequence
payloads-nbirth-bdseq                                             bdseq_of_births
payloads-nbirth-bdseq-repeat                                      bdseq_of_births
payloads-nbirth-rebirth-req                                       rebirth_metric
payloads-nbirth-qos                                               nbirth_mqtt
payloads-nbirth-retain                                            nbirth_mqtt
payloads-dbirth-timestamp                                         timestamps
payloads-dbirth-seq                                               sequence
payloads-dbirth-seq-inc                                           sequence
payloads-dbirth-order                                             births_first
payloads-dbirth-qos                                               dbirth_mqtt
payloads-dbirth-retain                                            dbirth_mqtt
payloads-ndata-timestamp                                          timestamps
payloads-ndata-seq                                                sequence
payloads-ndata-seq-inc                                            sequence
payloads-ndata-order                                              births_first
payloads-ndata-qos                                                ndata_mqtt
payloads-ndata-retain                                             ndata_mqtt
payloads-ddata-timestamp                                          timestamps
payloads-ddata-seq                                                sequence
payloads-ddata-seq-inc                                            sequence
payloads-ddata-order                                              births_first
payloads-ddata-qos                                                ddata_mqtt
payloads-ddata-retain                                             ddata_mqtt
payloads-ncmd-timestamp                                           C
payloads-ncmd-seq                                                 C
payloads-ncmd-qos                                                 C
payloads-ncmd-retain                                              C
payloads-dcmd-timestamp                                           C
payloads-dcmd-seq                                                 C
payloads-dcmd-qos                                                 C
payloads-dcmd-retain                                              C
payloads-ndeath-seq                                               deaths_match will
payloads-ndeath-will-message                                      will death_by_will
payloads-ndeath-will-message-qos                                  will
payloads-ndeath-will-message-retain                               will
payloads-ndeath-bdseq                                             deaths_match
payloads-ndeath-will-message-publisher                            orderly_end
payloads-ndeath-will-message-publisher-disconnect-mqtt311         orderly_end
payloads-ndeath-will-message-publisher-disconnect-mqtt50          orderly_end
payloads-ddeath-timestamp                                         device_death timestamps
payloads-ddeath-seq                                               device_death sequence
payloads-ddeath-seq-inc                                           sequence
payloads-ddeath-seq-number                                        sequence
payloads-state-will-message                                       H
payloads-state-will-message-qos                                   H
payloads-state-will-message-retain                                H
payloads-state-will-message-payload                               H
payloads-state-subscribe                                          H
payloads-state-birth                                              H
payloads-state-birth-payload                                      H

conformance-primary-host                                          H
conformance-mqtt-qos0                                             S
conformance-mqtt-qos1                                             S
conformance-mqtt-will-messages                                    S
conformance-mqtt-retained                                         S
conformance-mqtt-aware-basic                                      S
conformance-mqtt-aware-store                                      S
conformance-mqtt-aware-nbirth-mqtt-topic                          S
conformance-mqtt-aware-nbirth-mqtt-retain                         S
conformance-mqtt-aware-dbirth-mqtt-topic                          S
conformance-mqtt-aware-dbirth-mqtt-retain                         S
conformance-mqtt-aware-ndeath-timestamp                           S
"""

ASSERTIONS: dict[str, tuple[str, ...]] = {
    row.split()[0]: tuple(row.split()[1:]) for row in _TABLE.splitlines() if row
}
"""Id to its checks, or to the letter of a reason."""
