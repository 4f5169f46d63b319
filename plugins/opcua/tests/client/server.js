// An OPC UA server of node-opcua that test_interop.py reads and commands; obeys lines of its stdin.
// node server.js PORT CERTIFICATE_FOLDER
"use strict";
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const { OPCUAServer } = require("node-opcua-server");
const { StatusCodes } = require("node-opcua-status-code");
const { DataType, Variant, VariantArrayType } = require("node-opcua-variant");
const readline = require("node:readline");

const [port, folder] = process.argv.slice(2);
const say = (what, value) => console.log(JSON.stringify({ what, ...value }));

(async () => {
  const serverCertificateManager = new OPCUACertificateManager({
    rootFolder: folder,
    automaticallyAcceptUnknownCertificate: true,
  });
  await serverCertificateManager.initialize();
  const server = new OPCUAServer({
    port: Number(port),
    hostname: "127.0.0.1",
    alternateHostname: ["127.0.0.1"],
    serverCertificateManager,
    allowAnonymous: true,
    userManager: { isValidUser: (name, password) => name === "anna" && password === "secret" },
    serverCapabilities: {
      maxMonitoredItemsPerCall: 3,
      operationLimits: {
        maxNodesPerRead: 4,
        maxMonitoredItemsPerCall: 3,
        maxNodesPerTranslateBrowsePathsToNodeIds: 2,
      },
    },
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  const own = space.registerNamespace("urn:test:node");
  const plant = own.addFolder("ObjectsFolder", { browseName: "Plant", nodeId: "s=Plant" });
  const add = (name, dataType, value, more) =>
    own.addVariable({
      organizedBy: plant,
      browseName: name,
      nodeId: `s=${name}`,
      dataType,
      value: { dataType: DataType[dataType], value, ...more },
      minimumSamplingInterval: 0,
    });
  const nodes = {
    boolean: add("boolean", "Boolean", true),
    sbyte: add("sbyte", "SByte", -5),
    byte: add("byte", "Byte", 250),
    int16: add("int16", "Int16", -30000),
    uint16: add("uint16", "UInt16", 60000),
    int32: add("int32", "Int32", -2000000000),
    uint32: add("uint32", "UInt32", 4000000000),
    int64: add("int64", "Int64", [0x1fffff, 0xffffffff], { arrayType: VariantArrayType.Scalar }),
    uint64: add("uint64", "UInt64", [0x1fffff, 0xffffffff], { arrayType: VariantArrayType.Scalar }),
    float: add("float", "Float", 0.5),
    double: add("double", "Double", 230.25),
    counter: add("counter", "UInt32", 0),
    text: add("text", "String", "abc"),
  };
  own.addVariable({
    organizedBy: plant,
    browseName: "array",
    nodeId: "s=array",
    dataType: "Double",
    valueRank: 1,
    arrayDimensions: [3],
    value: new Variant({
      dataType: DataType.Double,
      arrayType: VariantArrayType.Array,
      value: new Float64Array([1.5, 2.5, 3.5]),
    }),
  });
  const method = own.addMethod(plant, {
    browseName: "Start",
    nodeId: "s=Start",
    inputArguments: [{ name: "Value", dataType: DataType.Int16 }],
    outputArguments: [],
  });
  method.bindMethod((inputs, _context, callback) => {
    say("call", { type: inputs[0].dataType, value: inputs[0].value });
    const statusCode = inputs[0].value < 0 ? StatusCodes.BadOutOfService : StatusCodes.Good;
    callback(null, { statusCode, outputArguments: [] });
  });

  readline.createInterface({ input: process.stdin }).on("line", (line) => {
    const asked = JSON.parse(line);
    if (asked.set) {
      const node = nodes[asked.set];
      const dataType = node.readValue().value.dataType;
      for (const value of asked.values) {
        const time = asked.time ? new Date(asked.time) : undefined;
        const status = asked.status ? StatusCodes[asked.status] : StatusCodes.Good;
        node.setValueFromSource({ dataType, value }, status, time);
      }
    } else if (asked.kill) {
      // the server forgets all sessions, as after its restart
      for (const session of Object.values(server.engine._sessions)) {
        server.engine.closeSession(session.authenticationToken, true, "Terminated");
      }
    } else if (asked.get) {
      const { value } = nodes[asked.get].readValue();
      say("value", { name: asked.get, type: value.dataType, value: value.value });
    }
    say("done", {});
  });
  await server.start();
  say("up", { port: server.endpoints[0].port });
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
