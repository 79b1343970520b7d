/**
 * The behaviours that ComfyUI 0.3.64's own execution tests ask for, restated at executor level with
 * the same test nodes and (smaller) pictures, for every cache mode.
 */
import { describe, expect, it } from 'vitest';
import type { GraphBuilder } from '../../../engine/node.ts';
import { createHarness, uniform } from './harness.ts';
import type { Harness } from './harness.ts';
import { MODES, SIZE, maskOf, save, stub } from './reference-graphs.ts';

describe.each(MODES)('execution with the $kind cache', (cache) => {
  const keeps = cache.kind !== 'none';
  const start = (): { h: Harness; g: GraphBuilder } => {
    const h = createHarness('test[x]', { cache });
    return { h, g: h.graph };
  };

  it('evaluates only the lazy input that is needed', async () => {
    const { h, g } = start();
    const [black, white] = [stub(g, 'BLACK'), stub(g, 'WHITE')];
    const mask = maskOf(g, 0);
    const mix = g.node('TestLazyMixImages', {
      image1: black.out(0),
      image2: white.out(0),
      mask: mask.out(0),
    });
    const output = save(g, mix.out(0));
    const run = await h.run(g);
    expect(uniform(run.images(output)[0])).toBe(0);
    expect([black, white, mask, mix].map(run.didRun)).toEqual([true, false, true, true]);
  });

  it('runs nothing the second time, and only what changed the third time', async () => {
    const { h, g } = start();
    const [black, noise] = [stub(g, 'BLACK'), stub(g, 'NOISE')];
    const mask = maskOf(g, 0.5);
    const mix = g.node('TestLazyMixImages', {
      image1: black.out(0),
      image2: noise.out(0),
      mask: mask.out(0),
    });
    const output = save(g, mix.out(0));
    await h.run(g);
    const second = await h.run(g);
    expect(second.ran.length === 0).toBe(keeps);
    expect(second.images(output)).toHaveLength(1);
    mask.inputs.value = 0.4;
    const third = await h.run(g);
    expect([black, noise].map(third.didRun)).toEqual([!keeps, !keeps]);
    expect([mask, mix, output].every(third.didRun)).toBe(true);
  });

  it('reports an error of a node with its prompt', async () => {
    const { h, g } = start();
    const large = g.node('StubImage', { content: 'NOISE', height: 8, width: 8, batch_size: 1 });
    const mix = g.node('TestLazyMixImages', {
      image1: stub(g, 'BLACK').out(0),
      image2: large.out(0),
      mask: maskOf(g, 0.5).out(0),
    });
    save(g, mix.out(0));
    const run = await h.run(g);
    expect(run.error()).toMatchObject({ node_id: mix.id, node_type: 'TestLazyMixImages' });
    expect(run.error()?.prompt_id).toMatch(/^prompt-/);
    expect(run.result).toMatchObject({ status: 'error', completed: false });
  });

  it('blames the generating node for a cycle made at run time', async () => {
    const { h, g } = start();
    const cycle = g.node('TestDynamicDependencyCycle', {
      input1: stub(g, 'BLACK').out(0),
      input2: stub(g, 'WHITE').out(0),
    });
    save(g, cycle.out(0));
    const run = await h.run(g);
    expect(run.error()).toMatchObject({
      node_id: cycle.id,
      node_type: 'TestDynamicDependencyCycle',
      exception_type: 'graph.DependencyCycleError',
      exception_message: 'Dependency cycle detected',
      traceback: [],
      current_inputs: [],
    });
    expect(run.result).toMatchObject({ status: 'success', completed: true });
  });

  it('runs the good output when the other lacks a node, and both once it is back', async () => {
    const { h, g } = start();
    const black = stub(g, 'BLACK');
    const removed = stub(g, 'WHITE', 'removeme');
    const mask = maskOf(g, 0.5);
    const mix = (white: unknown) =>
      g.node('TestLazyMixImages', { image1: black.out(0), image2: white, mask: mask.out(0) });
    const bad = save(g, mix(removed.out(0)).out(0));
    const good = save(g, mix(stub(g, 'WHITE').out(0)).out(0));
    g.remove('removeme');
    expect(Object.keys((await h.run(g)).outputs)).toEqual([good.id]);
    stub(g, 'WHITE', 'removeme');
    expect(Object.keys((await h.run(g)).outputs).sort()).toEqual([bad.id, good.id].sort());
  });

  it('runs a node again whenever IS_CHANGED is NaN', async () => {
    const { h, g } = start();
    const output = g.node('SaveImage', { filename_prefix: 'test' });
    const node = g.node('TestCustomIsChanged', { should_change: false });
    output.setInput('images', node.out(0));
    node.setInput('image', stub(g, 'BLACK').out(0));
    const ran = [(await h.run(g)).didRun(node), (await h.run(g)).didRun(node)];
    node.setInput('should_change', true);
    ran.push((await h.run(g)).didRun(node), (await h.run(g)).didRun(node));
    expect(ran).toEqual([true, !keeps, true, true]);
  });

  it('passes undeclared links on', async () => {
    const { h, g } = start();
    const average = g.node('TestVariadicAverage', {
      input1: stub(g, 'BLACK').out(0),
      input2: stub(g, 'WHITE').out(0),
      input3: stub(g, 'BLACK').out(0),
      input4: stub(g, 'BLACK').out(0),
    });
    const output = save(g, average.out(0));
    expect(uniform((await h.run(g)).images(output)[0])).toBe(Math.floor(255 / 4));
  });

  it('runs a for loop built from expansions', async () => {
    const { h, g } = start();
    const changing = g.node('TestCustomIsChanged', {
      should_change: true,
      image: stub(g, 'WHITE').out(0),
    });
    const open = g.node('TestForLoopOpen', { remaining: 4, initial_value1: changing.out(0) });
    const average = g.node('TestVariadicAverage', {
      input1: stub(g, 'BLACK').out(0),
      input2: open.out(2),
    });
    const close = g.node('TestForLoopClose', {
      flow_control: open.out(0),
      initial_value1: average.out(0),
    });
    const output = save(g, close.out(0));
    for (let iterations = 1; iterations < 5; iterations++) {
      open.setInput('remaining', iterations);
      const run = await h.run(g);
      expect(run.error()).toBeUndefined();
      expect(uniform(run.images(output)[0])).toBe(Math.floor(255 / 2 ** iterations));
      expect(run.didRun(changing)).toBe(true);
    }
  });

  it('merges slices that expand with slices that do not', async () => {
    const { h, g } = start();
    const list = g.node('TestMakeListNode', { value1: 0.1, value2: 0.2, value3: 0.3 });
    const mixed = g.node('TestMixedExpansionReturns', { input1: list.out(0) });
    const first = save(g, mixed.out(0));
    const second = save(g, mixed.out(1));
    const run = await h.run(g);
    expect(run.images(first).map(uniform)).toEqual([25, 51, 76]);
    expect(run.images(second).map(uniform)).toEqual([255, 255, 255]);
  });

  it('asks for lazy inputs slice by slice', async () => {
    const { h, g } = start();
    const list = g.node('TestMakeListNode', { value1: 0.0, value2: 0.5, value3: 1.0 });
    const mix = g.node('TestLazyMixImages', {
      image1: stub(g, 'BLACK').out(0),
      image2: stub(g, 'WHITE').out(0),
      mask: maskOf(g, list.out(0)).out(0),
    });
    const batches = g.node('RebatchImages', { images: mix.out(0), batch_size: 3 });
    const output = save(g, batches.out(0));
    expect((await h.run(g)).images(output).map(uniform)).toEqual([0, 127, 255]);
  });

  it('reports images for both of two equal save nodes', async () => {
    const { h, g } = start();
    const black = stub(g, 'BLACK');
    const outputs = [save(g, black.out(0)), save(g, black.out(0))];
    const run = await h.run(g);
    expect(outputs.map((output) => run.images(output).length)).toEqual([1, 1]);
    expect(run.of('executed').map((data) => data.node)).toEqual(outputs.map((node) => node.id));
    expect(run.ran.filter((id) => outputs.some((node) => node.id === id))).toHaveLength(
      keeps ? 1 : 2,
    );
  });

  it('shows IS_CHANGED constants only', async () => {
    const { h, g } = start();
    const image = g.node('StubConstantImage', { value: 0.5, ...SIZE });
    const node = g.node('TestIsChangedWithConstants', { image: image.out(0), value: 0.5 });
    const output = g.node('PreviewImage', { images: node.out(0) });
    expect(uniform((await h.run(g)).images(output)[0])).toBe(63);
    const again = await h.run(g);
    expect(uniform(again.images(output)[0])).toBe(63);
    expect(again.didRun(node)).toBe(!keeps);
  });

  it('lets a blocker in a list block only its own element', async () => {
    const { h, g } = start();
    const make = (values: readonly unknown[]) =>
      g.node(
        'TestMakeListNode',
        Object.fromEntries(values.map((value, i) => [`value${i + 1}`, value])),
      );
    const images = make(['BLACK', 'WHITE', 'BLACK'].map((content) => stub(g, content).out(0)));
    const numbers = make([1, 2, 3].map((value) => g.node('StubInt', { value }).out(0)));
    const compare = g.node('TestIntConditions', { a: numbers.out(0), b: 2, operation: '==' });
    const blocker = g.node('TestExecutionBlocker', {
      input: images.out(0),
      block: compare.out(0),
      verbose: false,
    });
    const output = g.node('PreviewImage', { images: make([blocker.out(0)]).out(0) });
    const run = await h.run(g);
    expect(run.didRun(output)).toBe(true);
    expect(run.images(output).map(uniform)).toEqual([0, 0]);
  });

  describe('partial execution', () => {
    it('runs the listed outputs only', async () => {
      const { h, g } = start();
      const inputs = ['BLACK', 'WHITE', 'NOISE'].map((content) => stub(g, content));
      const outputs = inputs.map((input) => save(g, input.out(0)));
      const run = await h.run(g, { partialTargets: [outputs[0].id, outputs[2].id] });
      expect([...inputs, ...outputs].map(run.didRun)).toEqual([
        true,
        false,
        true,
        true,
        false,
        true,
      ]);
    });

    it('runs unlisted output nodes that listed ones need', async () => {
      const { h, g } = start();
      const first = g.node('TestOutputNodeWithSocketOutput', {
        image: stub(g, 'BLACK').out(0),
        value: 1.5,
      });
      const second = g.node('TestOutputNodeWithSocketOutput', { image: first.out(0), value: 2 });
      const other = save(g, first.out(0));
      const target = save(g, second.out(0));
      const run = await h.run(g, { partialTargets: [target.id] });
      expect([first, second, target, other].map(run.didRun)).toEqual([true, true, true, false]);
    });

    it('refuses an empty list', async () => {
      const { h, g } = start();
      save(g, stub(g, 'BLACK').out(0));
      await expect(h.run(g, { partialTargets: [] })).rejects.toThrow('prompt_no_outputs');
    });
  });
});
