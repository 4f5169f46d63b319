// Reads, monitors, writes and calls with node-opcua what test_interop.py serves; prints JSON lines.
// node interop.js URL POLICY MODE CERTIFICATE_FOLDER USER PASSWORD
// (or, for a user with a certificate: its file in DER, the key's in PEM)
"use strict";
const fs = require("fs");
const {
  AttributeIds,
  DataType,
  MessageSecurityMode,
  OPCUAClient,
  SecurityPolicy,
  TimestampsToReturn,
  UserTokenType,
} = require("node-opcua-client");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");

const [url, policy, mode, folder, user, password] = process.argv.slice(2);
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
  const session = await client.createSession(
    user.endsWith(".der")
      ? {
          type: UserTokenType.Certificate,
          certificateData: fs.readFileSync(user),
          privateKey: fs.readFileSync(password, "utf8"),
        }
      : { type: UserTokenType.UserName, userName: user, password },
  );

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

  const write = async (id, dataType, value) => {
    const nodeId = `ns=2;s=${id}`;
    const dataValue = { value: { dataType, value } };
    const code = await session.write({ nodeId, attributeId: AttributeIds.Value, value: dataValue });
    say("write", { id, status: code.name });
  };
  await write("Feeder1.CB1", DataType.Boolean, true);
  await write("feeder1.power", DataType.Double, 12.5);
  await write("feeder1.power", DataType.Double, NaN);
  await write("feeder1.power", DataType.Float, 1);
  await write("feeder1.factor", DataType.Double, 1);
  const level = await session.read({
    nodeId: "ns=2;s=feeder1.power",
    attributeId: AttributeIds.UserAccessLevel,
  });
  say("level", { value: level.value.value });

  const call = async (id, method, inputArguments) => {
    const objectId = `ns=2;s=${id}`;
    const methodId = `${objectId}/${method}`;
    const result = await session.call({ objectId, methodId, inputArguments });
    const outputs = (result.outputArguments || []).map((one) => one.value);
    say("call", { method, status: result.statusCode.name, outputs });
  };
  const two = [{ dataType: DataType.UInt32, value: 2 }];
  const isolator = "feeder1.isolator/Commands";
  await call(isolator, "Execute", two);
  await call(isolator, "Select", two);
  await call(isolator, "Execute", two);
  await call(isolator, "Select", [{ dataType: DataType.String, value: "2" }]);
  await call("/Operator", "Block", [{ dataType: DataType.String, value: "feeder1.factor" }]);
  const described = await session.getArgumentDefinition(`ns=2;s=${isolator}/Select`);
  say("arguments", {
    inputs: described.inputArguments.map((one) => [one.name, one.dataType.value]),
    outputs: described.outputArguments.map((one) => [one.name, one.dataType.value]),
  });

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
