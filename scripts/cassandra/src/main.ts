import { runScript } from '@ingesta/kit';
import description from '../source.json';
import { cassandra } from './source';

void runScript(cassandra, description);
