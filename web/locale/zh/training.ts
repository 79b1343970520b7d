import type { Texts } from '../texts.ts';

/** The pages of training: runs, data sets. */
export const training: Texts = {
  Training: '训练',
  'Training: runs and data sets': '训练：任务与数据集',
  Runs: '训练任务',
  'Data sets': '数据集',
  'All runs': '所有训练任务',
  'New run': '新建训练任务',
  'Nothing was trained yet. Put pictures into a data set, then begin a run.':
    '还没有训练过任何内容。先把图片放入数据集，然后开始训练。',

  // what a run does
  'Not started': '未开始',
  'Ends its step': '正在完成当前步',
  Paused: '已暂停',
  Interrupted: '已中断',
  Stopped: '已停止',
  'Step {step} of {steps}': '第 {step} 步，共 {steps} 步',
  '{time} to go': '还需 {time}',
  Start: '开始',
  'Go on': '继续',
  'It ends its step and saves; it can go on later': '完成当前步并保存，之后可以继续',
  'It ends its step and saves, and counts as done': '完成当前步并保存，视为结束',
  'Delete the run {name}?': '删除训练任务“{name}”？',
  'Its weights, samples and losses are deleted too. This cannot be undone.':
    '其权重、样图和损失记录也会被删除。此操作无法撤销。',
  'loss {loss}': '损失 {loss}',
  'rate {rate}': '学习率 {rate}',
  '{count} s a step': '每步 {count} 秒',

  // the curve
  Loss: '损失',
  'Loss by step': '各步的损失',
  Smoothing: '平滑',
  'Step {step}: loss {loss}, smoothed {smoothed}': '第 {step} 步：损失 {loss}，平滑后 {smoothed}',
  'The curve of the loss appears with the first step.': '完成第一步后会显示损失曲线。',

  // samples and files
  Samples: '样图',
  'No sample was made yet.': '还没有生成样图。',
  'Prompt {number}': '提示词 {number}',
  '{name} after step {step}': '{name}，第 {step} 步之后',
  'Nothing was saved yet.': '还没有保存任何文件。',
  'at the end': '训练结束时',
  'Step {step}': '第 {step} 步',
  '{size} MB': '{size} MB',

  // the job
  'Job file': '任务文件',
  'Save the job file': '保存任务文件',
  'The job file is saved': '任务文件已保存',
  'It can be changed while the run is paused.': '训练暂停时可以修改。',
  'How the job is said': '任务的填写方式',
  'Make it, start later': '先创建，稍后开始',
  'A job of ai-toolkit, as YAML': 'ai-toolkit 任务（YAML）',
  'Data sets and models are named, not written as paths: they lie in the folders of the server.':
    '数据集和模型只写名称，不写路径：它们位于服务器的文件夹中。',
  'There is no data set with pictures yet.': '还没有包含图片的数据集。',
  'To be mended': '需要修正',
  'Means nothing here': '在此无效',
  'Done in another way': '以其他方式执行',

  // fields
  'What is learnt': '学习内容',
  Adapter: '适配器',
  Learning: '学习',
  'Saves and samples': '保存与样图',
  Name: '名称',
  'The file is called so too': '生成的文件也用此名称',
  'Base model': '基础模型',
  'Kind of model': '模型种类',
  'Data set': '数据集',
  'Trigger word': '触发词',
  'Put into every caption that does not have it; prompts with it show what was learnt':
    '会加入没有它的每条描述；提示词中写上它即可表现所学内容',
  'Kind of adapter': '适配器种类',
  Rank: '秩',
  Alpha: 'Alpha',
  'Left empty, as much as the rank': '留空则与秩相同',
  'Rank of convolutions': '卷积层的秩',
  'Left empty, convolutions are not trained': '留空则不训练卷积层',
  'Learning rate': '学习率',
  Optimizer: '优化器',
  Schedule: '学习率调度',
  Resolutions: '分辨率',
  'Pixels of a side, several with commas; left empty, what suits the model':
    '边长（像素），多个用逗号分隔；留空则使用适合模型的值',
  'Batches to a step': '每步的批数',
  'Captions left out': '省略描述的比例',
  'Part of the pictures that are learnt without a caption, 0 to 1':
    '不带描述学习的图片比例，0 到 1',
  'Min-SNR gamma': 'Min-SNR gamma',
  'Left empty, all steps of noise count the same; 5 is usual':
    '留空则所有噪声步权重相同；常用值为 5',
  'Train the text encoder too': '同时训练文本编码器',
  'Save the average of the steps': '保存各步的平均值',
  'With one, the same run gives the same file': '设定后，相同的训练会得到相同的文件',
  'Steps between saves': '保存间隔（步）',
  'Steps between samples': '样图间隔（步）',
  'Prompts of samples': '样图提示词',
  'One a line; none: no samples. [trigger] is the trigger word':
    '每行一条；没有则不生成样图。[trigger] 代表触发词',
  'Saves to keep': '保留的存档数',
  'Older ones are deleted; 0 keeps all': '更早的会被删除；0 表示全部保留',
  'Negative prompt of samples': '样图负面提示词',
  'Steps of a sample': '样图的采样步数',
  'Guidance of samples': '样图的引导强度',
  'Seed of samples': '样图的种子',

  // data sets
  'All data sets': '所有数据集',
  'New data set': '新建数据集',
  'Name of the data set': '数据集名称',
  'Make it': '创建',
  'A data set is a folder of pictures, each with a caption that says what it shows.':
    '数据集是一个图片文件夹，每张图片都有说明其内容的描述。',
  '{pictures} pictures, {captions} captions': '{pictures} 张图片，{captions} 条描述',
  'Add pictures': '添加图片',
  '{count} pictures on their way': '正在上传 {count} 张图片',
  'Drop pictures here: PNG, JPEG or WebP.': '将图片拖到此处：PNG、JPEG 或 WebP。',
  'Show more': '显示更多',
  'Delete {name}?': '删除“{name}”？',
  'Delete {name}': '删除 {name}',
  'The picture and its caption are deleted. This cannot be undone.':
    '图片及其描述会被删除。此操作无法撤销。',
  'Caption of {name}': '{name} 的描述',
  'No caption': '没有描述',
  'Not saved yet': '尚未保存',
  'Not saved, it is tried again: {why}': '未能保存，将会重试：{why}',
  '{name}: no picture has this name': '{name}：没有同名的图片',
  'Change all captions': '修改所有描述',
  'Put before': '加在前面',
  'Put behind': '加在后面',
  'a trigger word': '触发词',
  Find: '查找',
  'Replace by': '替换为',
  Change: '修改',
  '{count} captions were changed': '已修改 {count} 条描述',
  'Some captions could not be saved: nothing else was changed':
    '有些描述未能保存：没有进行其他修改',
};
