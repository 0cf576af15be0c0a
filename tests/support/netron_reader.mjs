// Opens TFLite files with the parser of Netron, as its viewer does, and prints what it found.
//
// node netron_reader.mjs FOLDER_OF_NETRON FILE...

import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, ...files] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(path.join(folder, name)).href);
const base = await load('base.js');
const flatbuffers = await load('flatbuffers.js');
const tflite = await load('tflite.js');

const parse = async (file) => {
    const stream = new base.BinaryStream(new Uint8Array(fs.readFileSync(file)));
    const context = {
        identifier: path.basename(file),
        stream,
        peek: async (kind) => (kind === 'flatbuffers.binary' ? flatbuffers.BinaryReader.open(stream) : null),
        set: (type, value) => Object.assign(context, { type, value }),
        require: (name) => load(`${name}.js`),
        metadata: async (name) => {
            const known = JSON.parse(fs.readFileSync(path.join(folder, name), 'utf-8'));
            const types = new Map(known.map((type) => [type.name, type]));
            return {
                type: (name) => types.get(name) || { name },
                attribute: (name, attribute) => {
                    const type = types.get(name);
                    return type && (type.attributes || []).find((each) => each.name === attribute);
                },
            };
        },
    };
    const factory = new tflite.ModelFactory();
    await factory.match(context);
    return factory.open(context);
};

const names = (list) => list.flatMap((argument) => argument.value.map((value) => value.name));
const summary = (model) => ({
    format: model.format,
    metadata: model.metadata.map((each) => each.name),
    graphs: [...model.modules, ...(model.functions || [])].map((graph) => ({
        name: graph.name,
        inputs: graph.inputs.map((argument) => argument.name),
        outputs: graph.outputs.map((argument) => argument.name),
        signatures: (graph.signatures || []).map((each) => each.name),
        nodes: graph.nodes.map((node) => ({
            type: node.type.name,
            inputs: names(node.inputs),
            outputs: names(node.outputs),
        })),
    })),
});

const found = [];
for (const file of files) {
    found.push(summary(await parse(file)));
}
process.stdout.write(JSON.stringify(found));
