"""The source `opcua.client`: points of other people's OPC UA servers, read and commanded."""
