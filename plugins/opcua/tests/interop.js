// Reads and monitors with node-opcua what test_interop.py serves; prints JSON lines.
// node interop.js URL POLICY MODE CERTIFICATE_FOLDER
"use strict";
const {
  AttributeIds,
  MessageSecurityMode,
  OPCUAClient,
  SecurityPolicy,
  TimestampsToReturn,
} = require("node-opcua-client");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");

const [url, policy, mode, folder] = process.argv.slice(2);
const say = (what, value) => console.log(JSON.stringify({ what, ...value }));

const shown = (dataValue) => ({
  value: dataValue.value.value,
  type: dataValue.value.dataType,
  status: dataValue.statusCode.value,
  source: dataValue.sourceTimestamp ? dataValue.sourceTimestamp.getTime() : null,
  server: dataValue.serverTimestamp !== null,
});

(async () => {
  const clientCertificateManager = new OPCUACertificateManager({
    rootFolder: folder,
    automaticallyAcceptUnknownCertificate: true,
  });
  await clientCertificateManager.initialize();
  const client = OPCUAClient.create({
    applicationName: "interop",
    clientCertificateManager,
    connectionStrategy: { maxRetry: 0 },
    endpointMustExist: false,
    securityMode: MessageSecurityMode[mode],
    securityPolicy: SecurityPolicy[policy],
  });
  await client.connect(url);
  const session = await client.createSession();

  const browsed = await session.browse({ nodeId: "ns=2;s=feeder1/", resultMask: 63 });
  const children = browsed.references.filter((one) => one.nodeClass === 2);
  say("browse", { names: children.map((one) => one.browseName.name) });

  const read = async (id) =>
    session.read({ nodeId: `ns=2;s=${id}`, attributeId: AttributeIds.Value });
  for (const id of ["feeder1.power", "Feeder1.CB1", "feeder1.isolator", "feeder1.energy"]) {
    say("read", { id, ...shown(await read(id)) });
  }
  const unit = (await read("feeder1.voltage_a/EngineeringUnits")).value.value;
  say("unit", { id: unit.unitId, name: unit.displayName.text });

  const subscription = await session.createSubscription2({
    requestedPublishingInterval: 500,
    requestedLifetimeCount: 100,
    requestedMaxKeepAliveCount: 10,
    publishingEnabled: true,
  });
  const item = await subscription.monitor(
    { nodeId: "ns=2;s=feeder1.power", attributeId: AttributeIds.Value },
    { samplingInterval: 0, queueSize: 3, discardOldest: true },
    TimestampsToReturn.Both,
  );
  let seen = 0;
  await new Promise((resolve) => {
    item.on("changed", (dataValue) => {
      say("changed", shown(dataValue));
      seen += 1;
      if (seen === 4) resolve();
    });
  });
  await subscription.terminate();
  await session.close();
  await client.disconnect();
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
