// transformers.js tags texts with the ONNX models in the folders of taggers, as its documentation loads them.

import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

const settings = JSON.parse(process.argv[2]);
const installed = createRequire(join(settings.packages, 'package.json'));
const { env, pipeline } = installed('@huggingface/transformers');
const web = installed('onnxruntime-web');

const DTYPES = { 'model.onnx': 'fp32', 'model_quantized.onnx': 'q8' };

env.allowRemoteModels = false;

// For each text the ids, their logits, the label of each, and the spans.
async function tagged(path, texts) {
    const [folder, name] = [dirname(dirname(path)), basename(path)];
    env.localModelPath = dirname(folder);
    const pipe = await pipeline('token-classification', basename(folder), { dtype: DTYPES[name] });
    const size = settings.batch_sizes[name];
    const rows = [];
    for (let start = 0; start < texts.length; start += size) {
        const batch = texts.slice(start, start + size);
        const given = pipe.tokenizer(batch, { padding: true });
        const { logits } = await pipe.model(given);
        const labels = await pipe(batch, { ignore_labels: [] });
        const spans = await pipe(batch, { aggregation_strategy: 'simple' });
        batch.forEach((_, at) => {
            const used = given.attention_mask[at].tolist().map((value, index) => (Number(value) ? index : -1));
            const ids = given.input_ids[at].tolist().map(Number);
            const scores = logits[at].tolist();
            const places = used.filter((index) => index >= 0);
            rows.push({
                ids: places.map((index) => ids[index]),
                logits: places.map((index) => scores[index]),
                labels: Object.fromEntries(labels[at].map((found) => [found.index, found.entity])),
                spans: spans[at].map((found) => [found.entity_group, found.word]),
            });
        });
    }
    const inputs = pipe.model.sessions.model.inputNames;
    await pipe.dispose();
    return { inputs, rows: await inBrowser(path, rows) };
}

// The logits that browsers compute, where ONNX Runtime is WebAssembly.
async function inBrowser(path, rows) {
    const session = await web.InferenceSession.create(readFileSync(path));
    for (const row of rows) {
        const shape = [1, row.ids.length];
        const filled = (value) => new web.Tensor('int64', BigInt64Array.from(row.ids, () => value), shape);
        const given = {
            input_ids: new web.Tensor('int64', BigInt64Array.from(row.ids, BigInt), shape),
            attention_mask: filled(1n),
            token_type_ids: filled(0n),
        };
        const wanted = session.inputNames.map((name) => [name, given[name]]);
        const { logits } = await session.run(Object.fromEntries(wanted));
        const width = logits.dims[2];
        row.in_browser = row.ids.map((_, at) => Array.from(logits.data.slice(at * width, (at + 1) * width)));
    }
    await session.release();
    return rows;
}

async function pause(figures) {
    process.stdout.write(JSON.stringify(figures) + '\n');
    if ((await once(process.stdin, 'data').catch(() => [''])).length === 0) process.exit();
}

const version = (name) => JSON.parse(readFileSync(join(settings.packages, 'node_modules', name, 'package.json'))).version;
const names = ['@huggingface/transformers', 'onnxruntime-node', 'onnxruntime-web'];
const texts = readFileSync(settings.file, 'utf8').trim().split('\n').map((line) => JSON.parse(line).text);
await pause({ versions: Object.fromEntries(names.map((name) => [name, version(name)])) });
const found = {};
for (const path of settings.models) {
    found[path] = await tagged(path, texts).catch((error) => ({ error: String(error) }));
}
writeFileSync(settings.output, JSON.stringify(found));
await pause({});
