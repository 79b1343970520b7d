/** What sd-scripts writes into a file about its training, besides the keys by which files are told apart. */

const words = (...lines: readonly string[]): readonly string[] =>
  lines.flatMap((line) => line.split(' '));

/** Names after `ss_`. */
export const kohyaKeys = words(
  'session_id training_started_at training_finished_at output_name learning_rate unet_lr text_encoder_lr',
  'num_train_images num_validation_images num_reg_images num_batches_per_epoch num_epochs epoch steps',
  'max_train_steps lr_warmup_steps lr_scheduler optimizer gradient_checkpointing',
  'gradient_accumulation_steps max_grad_norm mixed_precision full_fp16 fp8_base fp8_base_unet',
  'network_dropout clip_skip max_token_length cache_latents seed lowram noise_offset',
  'noise_offset_random_strength multires_noise_iterations multires_noise_discount adaptive_noise_scale',
  'zero_terminal_snr min_snr_gamma debiased_estimation ip_noise_gamma ip_noise_gamma_random_strength',
  'scale_weight_norms loss_type huber_schedule huber_scale huber_c prior_loss_weight',
  'caption_dropout_rate caption_dropout_every_n_epochs caption_tag_dropout_rate face_crop_aug_range',
  'validation_seed validation_split max_validation_steps validate_every_n_epochs validate_every_n_steps',
  'training_comment sd_scripts_commit_hash sd_model_name sd_model_hash new_sd_model_hash',
  'vae_name vae_hash new_vae_hash',
);

/** Of one data set alone; several are `datasets`. */
export const kohyaDatasetKeys = words(
  'dataset_dirs reg_dataset_dirs batch_size_per_device total_batch_size resolution color_aug flip_aug',
  'random_crop shuffle_caption keep_tokens enable_bucket bucket_no_upscale min_bucket_reso',
  'max_bucket_reso bucket_info',
);
