import { runScript } from '@ingesta/kit';
import description from '../source.json';
import { files } from './source';

void runScript(files, description);
